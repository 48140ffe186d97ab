#include "platform/env.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "platform/cgroup.h"
#include "platform/entropy.h"
#include "platform/scratch_folder.h"

namespace armada {
namespace {

TEST(Env, ReadsVariables) {
  setenv("ARMADA_ENV_TEST", "", 1);
  EXPECT_EQ(GetEnv("ARMADA_ENV_TEST"), "");
  SetEnv("ARMADA_ENV_TEST", "a=b");
  EXPECT_EQ(GetEnv("ARMADA_ENV_TEST"), "a=b");
  unsetenv("ARMADA_ENV_TEST");
  EXPECT_EQ(GetEnv("ARMADA_ENV_TEST"), std::nullopt);
}

TEST(Env, KnowsTheHost) {
  EXPECT_FALSE(HostName().empty());
  EXPECT_FALSE(CpuModelName().empty());
  EXPECT_EQ(BootId().size(), 36u);
  EXPECT_EQ(BootId(), BootId());
  EXPECT_GT(PeakResidentBytes(), 1 << 20);
}

TEST(Env, PeakMemoryGrowsWithUse) {
  const int64_t before = PeakResidentBytes();
  std::string block(64 << 20, 'x');
  EXPECT_EQ(block[block.size() - 1], 'x');
  EXPECT_GE(PeakResidentBytes(), before + (32 << 20));
}

TEST(Env, APipeIsNoTerminal) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  EXPECT_FALSE(IsTerminal(fds[0]));
  EXPECT_EQ(TerminalWidth(fds[0]), 80);
  close(fds[0]);
  close(fds[1]);
}

TEST(UsableCores, RespectsAffinity) {
  EXPECT_GE(UsableCores(), 1);
  const auto pin_to_one = [] {
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof(mask), &mask) != 0) return 1;
    int cpu = 0;
    while (!CPU_ISSET(cpu, &mask)) ++cpu;
    CPU_ZERO(&mask);
    CPU_SET(cpu, &mask);
    if (sched_setaffinity(0, sizeof(mask), &mask) != 0) return 2;
    return UsableCores() == 1 ? 0 : 3;
  };
  EXPECT_EXIT(_exit(pin_to_one()), testing::ExitedWithCode(0), "");
}

TEST(Entropy, SeedsDiffer) { EXPECT_NE(EntropySeed(), EntropySeed()); }

// A made-up /proc/self and /sys/fs/cgroup.
class CgroupTest : public testing::Test {
 protected:
  void Write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(ReplaceFile(folder_ / path, text).has_value());
  }
  // Mounts `root` of a hierarchy at mnt/, and puts the process in `group`.
  void MountV2(const std::string& root, const std::string& group) {
    Write("mountinfo", "21 1 8:1 / / rw - ext4 /dev/vda rw\n36 21 0:32 " + root + " " +
                           folder_.path() + "/mnt rw,nosuid - cgroup2 cgroup2 rw\n");
    Write("cgroup", "0::" + group + "\n");
  }
  void MountV1(const std::string& root, const std::string& group) {
    Write("mountinfo", "35 21 0:31 / /elsewhere rw - cgroup cgroup rw,cpuset\n36 21 0:32 " + root +
                           " " + folder_.path() +
                           "/mnt rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n");
    Write("cgroup", "5:cpuset:/other\n4:cpu,cpuacct:" + group + "\n0::/\n");
  }
  std::optional<double> Cores() { return CgroupCores(folder_.path()); }

  ScratchFolder folder_;
};

TEST_F(CgroupTest, V2TakesTheSmallestQuotaOnTheWayUp) {
  MountV2("/", "/batch/job/step");
  Write("mnt/batch/cpu.max", "150000 100000\n");
  Write("mnt/batch/job/cpu.max", "400000 100000\n");
  Write("mnt/batch/job/step/cpu.max", "max 100000\n");
  EXPECT_EQ(Cores(), 1.5);
}

TEST_F(CgroupTest, V2WithoutALimitHasNone) {
  MountV2("/", "/");
  Write("mnt/cpu.max", "max 100000\n");
  EXPECT_EQ(Cores(), std::nullopt);
}

TEST_F(CgroupTest, V2InAContainerReadsWhatIsMounted) {
  MountV2("/docker/0a1b", "/docker/0a1b");
  Write("mnt/cpu.max", "50000 100000\n");
  EXPECT_EQ(Cores(), 0.5);
}

TEST_F(CgroupTest, V1ReadsCfsQuota) {
  MountV1("/", "/jobs/7");
  Write("mnt/jobs/cpu.cfs_quota_us", "-1\n");
  Write("mnt/jobs/cpu.cfs_period_us", "100000\n");
  Write("mnt/jobs/7/cpu.cfs_quota_us", "250000\n");
  Write("mnt/jobs/7/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Cores(), 2.5);
}

TEST_F(CgroupTest, V1InAContainerWithTheHostsNames) {
  MountV1("/docker/0a1b", "/docker/0a1b");
  Write("mnt/cpu.cfs_quota_us", "300000\n");
  Write("mnt/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Cores(), 3.0);
}

TEST_F(CgroupTest, NonsenseIsNoLimit) {
  MountV2("/", "/a");
  Write("mnt/a/cpu.max", "lots 100000 of cores");
  EXPECT_EQ(Cores(), std::nullopt);
  Write("mnt/a/cpu.max", "100000 0\n");
  EXPECT_EQ(Cores(), std::nullopt);
  EXPECT_EQ(CgroupCores(folder_ / "missing"), std::nullopt);
}

}  // namespace
}  // namespace armada
