#include "sim/world.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "platform/entropy.h"
#include "sim/mutants.h"
#include "sim/shrink.h"
#include "test_paths.h"

namespace armada {
namespace {

constexpr int kFreshSeeds = 2'000;
// Of every class of faults, at least so many were applied in the fresh seeds together.
constexpr int64_t kLeastFaults = 50;

WorldResult RunClean(uint64_t seed) {
  WorldResult result = World(seed, /*trace=*/false).Run();
  EXPECT_EQ(result.violated, "") << result.what << "\n  armada_sim --seed " << seed << " --trace";
  return result;
}

TEST(World, EndsWellWithEverySeedThatOnceFailed) {
  std::ifstream file(SOURCE_DIR "/tests/seeds.txt");
  ASSERT_TRUE(file);
  int seeds = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    RunClean(std::stoull(line));
    ++seeds;
  }
  EXPECT_GT(seeds, 0);
}

TEST(World, EndsWellWithFreshSeedsAndAppliesEveryFault) {
  const uint64_t first = EntropySeed() >> 16;
  std::printf("seeds %llu and the %d after it\n", static_cast<unsigned long long>(first),
              kFreshSeeds - 1);
  Coverage coverage{};
  for (uint64_t seed = first; seed < first + kFreshSeeds && !HasFailure(); ++seed) {
    const WorldResult result = RunClean(seed);
    for (size_t i = 0; i < kFaultCount; ++i) coverage[i] += result.coverage[i];
  }
  for (size_t i = 0; i < kFaultCount; ++i)
    EXPECT_GE(coverage[i], kLeastFaults) << FaultName(static_cast<Fault>(i));
}

TEST(World, IsTheSameInAnotherProcess) {
  for (const uint64_t seed : {1, 2, 3}) {
    const WorldResult here = RunClean(seed);
    EXPECT_EQ(World(seed, /*trace=*/true).Run().hash, here.hash) << "looking changes nothing";

    const std::string command = fmt::format("{}/armada_sim --seed {} --hash", BINARY_DIR, seed);
    const std::unique_ptr<FILE, int (*)(FILE*)> there(popen(command.c_str(), "r"), pclose);
    ASSERT_TRUE(there);
    char text[64] = "";
    ASSERT_TRUE(std::fgets(text, sizeof text, there.get())) << command;
    EXPECT_EQ(std::string(text), fmt::format("{:016x}\n", here.hash));
  }
}

TEST(Shrink, FindsAShorterRunThatBreaksTheSame) {
  const ScopedMutant active(Mutant::kBeyondUnsettled);
  WorldResult bad;
  for (uint64_t seed = 1; bad.violated.empty(); ++seed) bad = World(seed, /*trace=*/false).Run();
  const Shrunk shrunk = Shrink(bad, 100);
  EXPECT_EQ(shrunk.result.violated, bad.violated);
  EXPECT_LT(shrunk.result.events, bad.events);
  EXPECT_FALSE(shrunk.result.trace.empty());
  for (size_t i = 0; i < kFaultCount; ++i) {
    const auto fault = static_cast<Fault>(i);
    const bool left_out = (shrunk.without >> i & 1) != 0 && fault <= kLastStriking;
    EXPECT_TRUE(!left_out || shrunk.result.coverage[i] == 0) << FaultName(fault);
  }
  const WorldResult again = World(shrunk.result.seed, /*trace=*/false, shrunk.without).Run();
  EXPECT_EQ(again.hash, shrunk.result.hash);
}

class SimulationFindsMutant : public testing::TestWithParam<MutantFacts> {};

TEST_P(SimulationFindsMutant, WithinTheSeedsTheTableSays) {
  const MutantFacts& facts = GetParam();
  const ScopedMutant active(facts.mutant);
  WorldResult result;
  // Another invariant may break before: an audit finds a broken chain, too.
  for (int seed = 1; seed <= facts.sim_seeds && result.violated != facts.sim_breaks; ++seed)
    result = World(static_cast<uint64_t>(seed), /*trace=*/false).Run();
  EXPECT_EQ(result.violated, facts.sim_breaks) << result.what;
}

std::string NameOf(const testing::TestParamInfo<MutantFacts>& info) {
  std::string name(info.param.name);
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Mutants, SimulationFindsMutant,
                         testing::ValuesIn(AllMutants().begin(), AllMutants().end()), NameOf);

}  // namespace
}  // namespace armada
