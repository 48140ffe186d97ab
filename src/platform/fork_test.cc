#include "platform/fork.h"

#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

#include "platform/clock.h"

namespace armada {
namespace {

TEST(Fork, TheParentLearnsHowItEndedAndWhatItSaid) {
  Fork fork = Fork::Prepare().value();
  const auto end = fork.Run().value();
  if (!end) {
    fork.shared().progress = 42;
    EndProcess(7);
  }
  EXPECT_EQ(end->state.ToString(), "exit 7");
  EXPECT_FALSE(end->asked);
  EXPECT_EQ(fork.shared().progress, 42);
}

TEST(Fork, ADeathIsSeenAndForkingAgainWorks) {
  Fork fork = Fork::Prepare().value();
  for (int life = 1; life <= 3; ++life) {
    const auto end = fork.Run().value();
    if (!end) {
      ++fork.shared().progress;
      std::signal(SIGSEGV, SIG_DFL);  // a sanitizer's own
      std::raise(SIGSEGV);
    }
    EXPECT_EQ(end->state.signal, SIGSEGV);
    EXPECT_EQ(fork.shared().progress, life);
  }
}

// One that comes from a process is passed on, as a request.
TEST(Fork, AStopSignalReachesTheFork) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Fork fork = Fork::Prepare().value();
    const auto end = fork.Run().value();
    if (!end) {
      kill(getppid(), signal);
      while (StopSignal() == 0) SleepMs(1);
      EndProcess(StopSignal() == SIGTERM ? 130 : 1);
    }
    EXPECT_EQ(end->state.ToString(), "exit 130");
    EXPECT_TRUE(end->asked);
  }
}

}  // namespace
}  // namespace armada
