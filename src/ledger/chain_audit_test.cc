#include "ledger/chain_audit.h"

#include <vector>

#include <gtest/gtest.h>

namespace armada {
namespace {

ChainVerdict Audit(std::vector<ChainLink> links) { return AuditChain(10, 50, links); }

TEST(AuditChain, IsOpenWhereNobodyHasBegun) {
  const ChainVerdict verdict = Audit({});
  EXPECT_EQ(verdict.kind, ChainVerdict::Kind::kOpen);
  EXPECT_EQ(verdict.reached, 10);
}

TEST(AuditChain, IsOpenUpToTheLastObject) {
  const ChainVerdict verdict = Audit({{10, 20}, {20, 35}});
  EXPECT_EQ(verdict.kind, ChainVerdict::Kind::kOpen);
  EXPECT_EQ(verdict.reached, 35);
}

TEST(AuditChain, IsCompleteAtTheEnd) {
  EXPECT_EQ(Audit({{10, 20}, {20, 35}, {35, 50}}).kind, ChainVerdict::Kind::kComplete);
  EXPECT_EQ(Audit({{10, 50}}).kind, ChainVerdict::Kind::kComplete);
}

struct Broken {
  std::vector<ChainLink> links;
  std::string fault;
};

class AuditChainFinds : public testing::TestWithParam<Broken> {};

TEST_P(AuditChainFinds, AndSaysWhat) {
  const ChainVerdict verdict = Audit(GetParam().links);
  EXPECT_EQ(verdict.kind, ChainVerdict::Kind::kBroken);
  EXPECT_EQ(verdict.fault, GetParam().fault);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, AuditChainFinds,
    testing::Values(
        Broken{{{12, 50}}, "positions 10 to 12 are missing before the object at 12"},
        Broken{{{10, 20}, {25, 50}}, "positions 20 to 25 are missing before the object at 25"},
        Broken{{{10, 20}, {15, 50}}, "the object at 15 overlaps the one that ends at 20"},
        Broken{{{5, 10}, {10, 50}}, "the object at 5 overlaps the one that ends at 10"},
        Broken{{{10, 10}}, "the object at 10 says that it ends at 10, the shard at 50"},
        Broken{{{10, 51}}, "the object at 10 says that it ends at 51, the shard at 50"},
        Broken{{{10, 50}, {50, 60}}, "the object at 50 says that it ends at 60, the shard at 50"}));

}  // namespace
}  // namespace armada
