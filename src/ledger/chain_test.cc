// One test for each rule of the commit chain (design: "The commit chain").
#include "ledger/chain.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

using Kind = ChainEvent::Kind;
using Do = ChainAction::Kind;

ChainAction Answer(Chain& chain, Kind kind, Position hi = 0) {
  return chain.Step({.kind = kind, .request = chain.request(), .hi = hi});
}

Chain Sending(Position hi) {
  Chain chain(0, 100);
  chain.Step({.kind = Kind::kCommit, .hi = hi});
  return chain;
}

TEST(Chain, BeginsAtTheShardsBegin) {
  const Chain chain(40, 100);
  EXPECT_EQ(chain.lo(), 40);
  EXPECT_EQ(chain.state(), Chain::State::kOpen);
  EXPECT_FALSE(chain.unsettled());
}

TEST(Chain, GoesOnAtTheHiOfItsOwnRequestThatWasAnswered200) {
  Chain chain(0, 100);
  const ChainAction create = chain.Step({.kind = Kind::kCommit, .hi = 30});
  EXPECT_EQ(create.kind, Do::kCreate);
  EXPECT_EQ(create.lo, 0);
  EXPECT_EQ(create.hi, 30);
  EXPECT_FALSE(create.resend);
  EXPECT_TRUE(chain.unsettled());

  const ChainAction settled = Answer(chain, Kind::kCreated);
  EXPECT_EQ(settled.kind, Do::kSettled);
  EXPECT_EQ(settled.lo, 30);
  EXPECT_EQ(chain.lo(), 30);
  EXPECT_FALSE(chain.unsettled());
}

TEST(Chain, IsCompleteAtItsEnd) {
  Chain chain = Sending(100);
  EXPECT_FALSE(chain.complete()) << "not while it is unsettled";
  Answer(chain, Kind::kCreated);
  EXPECT_TRUE(chain.complete());
}

TEST(Chain, ReadsTheObjectThatExistsAndGoesOnAtItsHi) {
  Chain chain = Sending(30);
  const ChainAction read = Answer(chain, Kind::kExists);
  EXPECT_EQ(read.kind, Do::kRead);
  EXPECT_EQ(read.lo, 0);

  const ChainAction adopted = Answer(chain, Kind::kFound, 50);
  EXPECT_EQ(adopted.kind, Do::kAdopted);
  EXPECT_EQ(adopted.lo, 50);
  EXPECT_EQ(chain.lo(), 50);
}

TEST(Chain, TakesTheObjectsHiAlsoWhenTheObjectIsItsOwn) {
  Chain chain = Sending(30);
  Answer(chain, Kind::kExists);
  const ChainAction found =
      chain.Step({.kind = Kind::kFound, .request = chain.request(), .hi = 20, .mine = true});
  EXPECT_EQ(found.kind, Do::kAdopted) << "from an earlier life with the same id, say";
  EXPECT_EQ(chain.lo(), 20);
}

TEST(Chain, IsSettledWhenTheObjectThatExistsHasTheSameHi) {
  Chain chain = Sending(30);
  Answer(chain, Kind::kExists);
  EXPECT_EQ(Answer(chain, Kind::kFound, 30).kind, Do::kSettled);
  EXPECT_EQ(chain.lo(), 30);
}

TEST(Chain, ReadsAfterAnUnknownOutcomeAndSendsTheSameBytesAgainWhenNothingIsThere) {
  Chain chain = Sending(30);
  EXPECT_EQ(Answer(chain, Kind::kUnknown).kind, Do::kRead);
  const ChainAction again = Answer(chain, Kind::kAbsent);
  EXPECT_EQ(again.kind, Do::kCreate);
  EXPECT_EQ(again.lo, 0);
  EXPECT_EQ(again.hi, 30);
  EXPECT_TRUE(again.resend);
  EXPECT_EQ(Answer(chain, Kind::kCreated).kind, Do::kSettled) << "of any send of these bytes";
  EXPECT_EQ(chain.lo(), 30);
}

TEST(Chain, ReadsAgainWhatCouldNotBeRead) {
  Chain chain = Sending(30);
  Answer(chain, Kind::kUnknown);
  const ChainAction read = Answer(chain, Kind::kReadFailed);
  EXPECT_EQ(read.kind, Do::kRead);
  EXPECT_TRUE(read.resend);
  EXPECT_TRUE(chain.unsettled());
}

TEST(Chain, IgnoresRepliesToRequestsThatAreNotTheCurrentOne) {
  Chain chain = Sending(30);
  const uint32_t first = chain.request();
  Answer(chain, Kind::kUnknown);
  Answer(chain, Kind::kFound, 10);
  chain.Step({.kind = Kind::kCommit, .hi = 60});
  const Chain before = chain;
  for (const Kind kind : {Kind::kCreated, Kind::kExists, Kind::kUnknown, Kind::kFound,
                          Kind::kAbsent, Kind::kReadFailed}) {
    EXPECT_EQ(chain.Step({.kind = kind, .request = first, .hi = 30}).kind, Do::kNone);
    EXPECT_EQ(chain, before);
  }
}

TEST(Chain, IgnoresTheSameReplyASecondTime) {
  Chain chain = Sending(30);
  const ChainEvent created{.kind = Kind::kCreated, .request = chain.request()};
  EXPECT_EQ(chain.Step(created).kind, Do::kSettled);
  EXPECT_EQ(chain.Step(created).kind, Do::kNone);
  EXPECT_EQ(chain.lo(), 30);
}

TEST(Chain, GoesOnAtTheHiOfAnObjectThatWasListedAndRead) {
  Chain chain(0, 100);
  EXPECT_EQ(chain.Step({.kind = Kind::kListed, .hi = 70}).kind, Do::kAdopted);
  EXPECT_EQ(chain.lo(), 70);
  EXPECT_EQ(chain.Step({.kind = Kind::kListed, .hi = 20}).kind, Do::kNone) << "an old list";
  EXPECT_EQ(chain.lo(), 70);
}

TEST(Chain, CallsCorruptAnObjectThatBreaksTheRules) {
  for (const Position hi : {Position{-1}, Position{0}, Position{101}}) {
    Chain chain = Sending(30);
    Answer(chain, Kind::kExists);
    EXPECT_EQ(Answer(chain, Kind::kFound, hi).kind, Do::kCorrupt) << hi;
    EXPECT_EQ(chain.state(), Chain::State::kCorrupt);
  }
}

TEST(ChainDeathTest, CommitsNothingWhileACommitIsUnsettledAndNothingEmpty) {
  Chain chain = Sending(30);
  EXPECT_DEATH(chain.Step({.kind = Kind::kCommit, .hi = 60}), "CHECK failed");
  Chain open(10, 100);
  EXPECT_DEATH(open.Step({.kind = Kind::kCommit, .hi = 10}), "CHECK failed");
  EXPECT_DEATH(open.Step({.kind = Kind::kCommit, .hi = 101}), "CHECK failed");
}

}  // namespace
}  // namespace armada
