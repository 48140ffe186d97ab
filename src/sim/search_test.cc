#include "sim/search.h"

#include <gtest/gtest.h>

#include "sim/mutants.h"

namespace armada {
namespace {

constexpr uint64_t kEnough = 10'000'000;

SearchResult SearchClean(const SearchBounds& bounds) {
  SearchResult result = Search(bounds).Run(kEnough);
  EXPECT_FALSE(result.cut_off);
  EXPECT_EQ(result.violated, "") << result.what << "\n" << testing::PrintToString(result.trace);
  return result;
}

// The three together are about a million states; `make soak` searches 42.5 million more.

TEST(Search, TwoWorkersWithACrashAndLateRequests) {
  const SearchResult result = SearchClean({.late = 2, .crashes = 1});
  // What an independent model of the same protocol counts with the same bounds: the machine that
  // ships has neither lost a state of it nor won one.
  EXPECT_EQ(result.states, 176'719u);
  EXPECT_EQ(result.depth, 28);
  EXPECT_EQ(result.complete_states, 116'256u);
}

TEST(Search, TwoCrashesAndWorkersThatGiveUpAndComeBack) {
  EXPECT_EQ(SearchClean({.late = 2, .crashes = 2, .give_up = true}).states, 437'775u);
}

TEST(Search, ThreeWorkers) {
  EXPECT_EQ(SearchClean({.workers = 3, .late = 1, .crashes = 1}).states, 359'610u);
}

TEST(Search, SaysThatNothingIsProvenWhenItIsCutOff) {
  const SearchResult result = Search({}).Run(1000);
  EXPECT_TRUE(result.cut_off);
  EXPECT_EQ(result.violated, "");
}

class SearchFindsMutant : public testing::TestWithParam<MutantFacts> {};

TEST_P(SearchFindsMutant, InAsFewStepsAsTheTableSays) {
  const MutantFacts& facts = GetParam();
  const ScopedMutant active(facts.mutant);
  // I7 looks ahead, so it would see most mutants before the harm is done: asked only where it is
  // the harm.
  SearchBounds bounds{.late = 2, .crashes = 1};
  bounds.completion = facts.search_breaks == "I7";
  const SearchResult result = Search(bounds).Run(kEnough);
  EXPECT_EQ(result.violated, facts.search_breaks) << result.what;
  EXPECT_EQ(result.depth, facts.search_depth);
  EXPECT_EQ(static_cast<int>(result.trace.size()), facts.search_depth + 1)
      << "steps, then the state";
}

std::vector<MutantFacts> Searched() {
  std::vector<MutantFacts> searched;
  for (const MutantFacts& facts : AllMutants())
    if (!facts.search_breaks.empty()) searched.push_back(facts);
  return searched;
}

std::string NameOf(const testing::TestParamInfo<MutantFacts>& info) {
  std::string name(info.param.name);
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Mutants, SearchFindsMutant, testing::ValuesIn(Searched()), NameOf);

TEST(Search, TellsTheShortestWayToAViolationInWords) {
  const ScopedMutant active(Mutant::kTimeoutIsCreated);
  const SearchResult result = Search({.completion = false}).Run(kEnough);
  EXPECT_EQ(result.trace, (std::vector<std::string>{
                              "worker 1 sends [0, 1)",
                              "worker 1 hears no outcome of [0, 1)",
                              "objects:; worker 1 stands at 1; worker 2 stands at 0",
                          }));
}

TEST(StatePacking, GivesBackWhatWasPacked) {
  const SearchBounds bounds;
  SearchState state;
  state.objects = {2, 3};
  state.workers[0] = {SearchWorker::kSending, 1, 3, 1, kSaidExists};
  state.workers[1] = {SearchWorker::kDead};
  state.late[0] = {0, 2, 2, 0};
  state.late[1] = {1, 2, 1, 0};
  state.late_count = 2;
  state.crashes = 2;
  const StatePacking packing(bounds, false);
  const SearchState back = packing.Unpack(packing.Pack(state));
  EXPECT_EQ(back.objects, state.objects);
  EXPECT_EQ(back.workers, state.workers);
  EXPECT_EQ(back.late, state.late);
  EXPECT_EQ(back.late_count, 2);
  EXPECT_EQ(back.crashes, 2);
}

}  // namespace
}  // namespace armada
