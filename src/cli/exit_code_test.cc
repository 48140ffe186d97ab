#include "cli/exit_code.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

TEST(ExitCode, OfAnErrorSaysWhoseMoveItIs) {
  EXPECT_EQ(ExitCodeOf(Error{ErrorCode::kInvalid, "a key is unknown", ""}), 3);
  EXPECT_EQ(ExitCodeOf(Error{ErrorCode::kNotFound, "no such file", ""}), 3);
  EXPECT_EQ(ExitCodeOf(Error{ErrorCode::kDenied, "permission denied", ""}), 4);
  EXPECT_EQ(ExitCodeOf(Error{ErrorCode::kUnavailable, "disk full", ""}), 4);
  EXPECT_EQ(ExitCodeOf(Error{ErrorCode::kLimit, "out of memory", ""}), 5);
  EXPECT_EQ(ExitCodeOf(Error{ErrorCode::kInternal, "a defect", ""}), 1);
}

TEST(ExitCode, OfAWorkerThatWasAskedToLeaveIsNoFailure) {
  WorkerOutcome outcome;
  outcome.reason = StopReason::kAsked;
  EXPECT_EQ(ExitCodeOf(outcome, ""), 130);
  EXPECT_FALSE(WorthRestarting(130));
}

TEST(ExitCode, OfAPauseDependsOnItsCause) {
  WorkerOutcome outcome;
  outcome.reason = StopReason::kPaused;
  EXPECT_EQ(ExitCodeOf(outcome, "too_many_dead"), 5);
  EXPECT_EQ(ExitCodeOf(outcome, "input"), 3);
  EXPECT_EQ(ExitCodeOf(outcome, "operator"), 130);
  EXPECT_FALSE(WorthRestarting(130));
}

TEST(ExitCode, OnlyWhatMayPassIsRestarted) {
  EXPECT_TRUE(WorthRestarting(kExitStalled));
  EXPECT_TRUE(WorthRestarting(1));
  EXPECT_TRUE(WorthRestarting(4));
  EXPECT_FALSE(WorthRestarting(0));
  EXPECT_FALSE(WorthRestarting(3));
}

}  // namespace
}  // namespace armada
