#include "base/utc.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

TEST(ParseUtc, ReadsWhatClocksAndServicesWrite) {
  EXPECT_EQ(ParseUtc("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseUtc("2026-11-23T16:29:10Z"), 1795451350000);
  EXPECT_EQ(ParseUtc("2026-11-23T16:29:10+00:00"), 1795451350000);
  EXPECT_EQ(ParseUtc("2026-11-23T16:29:10.123Z"), 1795451350123);
  EXPECT_EQ(ParseUtc("2026-11-23T16:29:10.5Z"), 1795451350500);
  EXPECT_EQ(ParseUtc("2026-11-23T16:29:10.999999Z"), 1795451350999);
  EXPECT_EQ(ParseUtc(UtcMsText(1795451350123)), 1795451350123);
}

TEST(ParseUtc, RefusesTheRest) {
  for (const char* bad :
       {"", "2026-11-23", "2026-11-23T16:29:10", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-11-23T16:29:10+01:00", "2026-11-23T16:29:10.Z", "2026-11-23T16:29:10.1x3Z",
        "2026-11-23 16:29:10Z", "x026-11-23T16:29:10Z", "2026-11-23T16:29:10ZZ"})
    EXPECT_FALSE(ParseUtc(bad)) << bad;
}

}  // namespace
}  // namespace armada
