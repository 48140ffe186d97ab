#include "platform/clock.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

TEST(Clock, FormatsUtc) {
  EXPECT_STREQ(FormatUtc(0).text, "1970-01-01T00:00:00Z");
  EXPECT_STREQ(FormatUtc(1'795'451'350'999).text, "2026-11-23T16:29:10Z");
  EXPECT_STREQ(FormatUtc(-1).text, "1969-12-31T23:59:59Z");
  EXPECT_STREQ(FormatUtc(INT64_MAX).text, "(no such time)");
}

TEST(Clock, BootTimeNeverGoesBack) {
  int64_t before_ns = BootNs();
  for (int i = 0; i < 1000; ++i) {
    const int64_t now_ns = BootNs();
    ASSERT_GE(now_ns, before_ns);
    before_ns = now_ns;
  }
  EXPECT_GE(BootMs(), before_ns / 1'000'000);
}

TEST(Clock, SleepLastsAtLeastAsLongAsAsked) {
  const int64_t start_ns = BootNs();
  SleepMs(2);
  SleepMs(0);
  SleepMs(-5);
  EXPECT_GE(BootNs() - start_ns, 2'000'000);
}

TEST(Clock, ProcessTimeCountsWork) {
  const int64_t start_ns = ProcessCpuNs();
  while (ProcessCpuNs() == start_ns) {
  }
  EXPECT_GT(ProcessCpuNs(), start_ns);
}

}  // namespace
}  // namespace armada
