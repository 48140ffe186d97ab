#include "sim/scenario.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/file.h"
#include "sim/scenario_run.h"
#include "test_paths.h"

namespace armada {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kFolder = SOURCE_DIR "/tests/scenarios/";

std::vector<std::string> AllScenarios() {
  std::vector<std::string> names;
  if (const auto entries = ListFolder(kFolder))
    for (const FolderEntry& entry : *entries)
      if (entry.name.ends_with(".txt"))
        names.push_back(entry.name.substr(0, entry.name.size() - 4));
  return names;
}

class ScenarioFile : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioFile, Holds) {
  const Result<Scenario> scenario = ReadScenario(kFolder + GetParam() + ".txt");
  ASSERT_TRUE(scenario) << scenario.error().ToString();
  std::vector<uint64_t> hashes;
  const ScenarioOutcome outcome =
      RunScenario(*scenario, /*trace=*/false,
                  [&](const WorldResult& result) { hashes.push_back(result.hash); });
  EXPECT_THAT(outcome.failures, IsEmpty());

  size_t same = 0;
  RunScenario(*scenario, /*trace=*/false,
              [&](const WorldResult& result) { same += hashes.at(same) == result.hash ? 1 : 0; });
  EXPECT_EQ(same, hashes.size()) << "a second run is the same";
}

std::string NameOf(const testing::TestParamInfo<std::string>& info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(Scenarios, ScenarioFile, testing::ValuesIn(AllScenarios()), NameOf);

std::vector<std::string> FailuresOf(std::string_view text) {
  const Result<Scenario> scenario = ParseScenario(text, "s.txt");
  EXPECT_TRUE(scenario) << scenario.error().ToString();
  if (!scenario) return {};
  return RunScenario(*scenario, /*trace=*/false, [](const WorldResult&) {}).failures;
}

TEST(Scenario, SaysWhatItIsAbout) {
  const Result<Scenario> scenario = ParseScenario(
      "seeds 5 to 9      # a comment\n"
      "workers 3\n"
      "shards 2 of 100 records\n"
      "fault reply lost, one in 7\n"
      "after 60%: kill worker 2\n"
      "expect done\n",
      "s.txt");
  ASSERT_TRUE(scenario) << scenario.error().ToString();
  EXPECT_EQ(scenario->first_seed, 5u);
  EXPECT_EQ(scenario->last_seed, 9u);
  EXPECT_EQ(scenario->workers, 3);
  EXPECT_EQ(scenario->faults[static_cast<size_t>(Fault::kReplyLost)], 7u);
  EXPECT_EQ(scenario->faults[static_cast<size_t>(Fault::kReplyLate)], 0u);
  ASSERT_EQ(scenario->events.size(), 1u);
  EXPECT_EQ(scenario->events[0].after_percent, 60);
  EXPECT_EQ(scenario->events[0].worker, 2);
  EXPECT_EQ(scenario->events[0].line, 5);
}

struct Mistake {
  std::string_view text;
  std::string_view what;
  std::string_view remedy;
};

TEST(Scenario, AMistakeIsNamedWithItsLineAndWhatToWrite) {
  for (const Mistake& mistake : std::vector<Mistake>{
           {"seeds 1 to 3\nworker 3\nexpect done", "s.txt:2: \"worker 3\" says nothing known",
            "perhaps 'workers' is meant"},
           {"workers many\nexpect done", "s.txt:1: \"workers many\"", "write \"workers N\""},
           {"workers 0\nexpect done", "s.txt:1: \"workers 0\" can't be", "at least 1"},
           {"at 30s explode\nexpect done", "s.txt:1: \"explode\" is nothing that can happen",
            "kill"},
           {"at 30s\nexpect done", "s.txt:1: it does not say what happens", "kill"},
           {"at noon kill worker 0\nexpect done", "s.txt:1:", "at 30s kill worker 0"},
           {"workers 2\nat 1s kill worker 2\nexpect done", "s.txt:2: there may be no worker 2",
            "\"workers 3\""},
           {"shards 2 of 9 records\nat 1s change shard 7 for 1s\nexpect done",
            "s.txt:2: there may be no shard 7", "\"shards 8 of"},
           {"fault backed up one in 3\nexpect done", "s.txt:1:", "not what comes of one"},
           {"fault bad luck one in 3\nexpect done", "s.txt:1:", "\"fault FAULT one in N\""},
           {"mutant nobody\nexpect done", "s.txt:1:", "docs/proof.md"},
           {"seeds 9 to 3\nexpect done", "s.txt:1:", "the first seed comes first"},
           {"workers 2\n", "s.txt:2: it does not say what must hold", "expect done"},
       }) {
    const Result<Scenario> scenario = ParseScenario(mistake.text, "s.txt");
    ASSERT_FALSE(scenario) << mistake.text;
    EXPECT_THAT(scenario.error().message, HasSubstr(mistake.what)) << mistake.text;
    EXPECT_THAT(scenario.error().remedy, HasSubstr(mistake.remedy)) << mistake.text;
  }
}

TEST(Scenario, WhatDoesNotHoldIsNamedWithItsLine) {
  EXPECT_THAT(FailuresOf("expect reply lost at least 1"), Contains(HasSubstr("s.txt:1: it was 0")));
  EXPECT_THAT(FailuresOf("workers 2\nexpect done within 1ms"),
              Contains(HasSubstr("s.txt:2: seed")));
  EXPECT_THAT(FailuresOf("expect refused"), Contains(HasSubstr("s.txt:1: submit took the store")));
  EXPECT_THAT(FailuresOf("store races\nexpect done"), Contains(HasSubstr("submit refused")));
  EXPECT_THAT(FailuresOf("expect violation of I1"), Contains(HasSubstr("s.txt:1: no checker")));
  EXPECT_THAT(FailuresOf("mutant beyond-gap\nexpect done"), Contains(HasSubstr("violates I3")));
  EXPECT_THAT(FailuresOf("workers 1\nshards 1 of 1 records\nat 72h kill worker 0\nexpect done"),
              Contains(HasSubstr("s.txt:3: this came about in no seed")));
}

}  // namespace
}  // namespace armada
