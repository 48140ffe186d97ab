#include "sim/scenario.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "base/text.h"
#include "sim/mutants.h"

namespace armada {
namespace {

// What stood in the places of a pattern.
struct Places {
  std::vector<int64_t> numbers{};
  std::string_view word{};
  Fault fault = Fault::kReplyLost;
};

using Words = std::vector<std::string_view>;

// Words of a line up to its comment. A comma or a colon behind a word is for the reader's eye.
Words WordsOf(std::string_view line) {
  Words words;
  line = line.substr(0, line.find('#'));
  for (std::string_view word : Split(line, ' ')) {
    while (!word.empty() && (word.back() == ',' || word.back() == ':' || word.back() == '\r'))
      word.remove_suffix(1);
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

std::optional<int64_t> Number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// The class of faults whose name stands at words[i], and how many words it has.
std::optional<std::pair<Fault, size_t>> FaultAt(const Words& words, size_t i) {
  std::optional<std::pair<Fault, size_t>> found;
  for (size_t fault = 0; fault < kFaultCount; ++fault) {
    const Words name = Split(FaultName(static_cast<Fault>(fault)), ' ');
    if (found && name.size() <= found->second) continue;
    if (name.size() <= words.size() - i &&
        std::equal(name.begin(), name.end(), words.begin() + static_cast<ptrdiff_t>(i)))
      found = {static_cast<Fault>(fault), name.size()};
  }
  return found;
}

// Puts what stands at words[*i] for the place into `places`. False: nothing that could.
bool Fill(std::string_view place, const Words& words, size_t* i, Places* places) {
  std::string_view word = words[*i];
  std::optional<int64_t> number;
  if (place == "FAULT") {
    const auto fault = FaultAt(words, *i);
    if (!fault) return false;
    places->fault = fault->first;
    *i += fault->second;
    return true;
  }
  if (place == "NAME") {
    places->word = word;
  } else {
    if (place == "PERCENT") {
      if (!word.ends_with('%')) return false;
      word.remove_suffix(1);
      number = Number(word);
      if (number && *number > 100) return false;
    } else if (place == "TIME") {
      if (const Result<int64_t> ms = ParseDuration(word)) number = *ms;
    } else {
      number = Number(word);
    }
    if (!number) return false;
    places->numbers.push_back(*number);
  }
  ++*i;
  return true;
}

// A pattern is words, and places in capitals: N, PERCENT, TIME, NAME, FAULT.
std::optional<Places> Match(std::string_view pattern, const Words& words) {
  Places places;
  size_t i = 0;
  for (const std::string_view part : Split(pattern, ' ')) {
    if (i == words.size()) return std::nullopt;
    const bool is_place =
        part == "N" || part == "PERCENT" || part == "TIME" || part == "NAME" || part == "FAULT";
    if (is_place ? !Fill(part, words, &i, &places) : words[i++] != part) return std::nullopt;
  }
  return i == words.size() ? std::optional(places) : std::nullopt;
}

// What a line may say, and what that does. A message where it can't be.
struct Statement {
  std::string_view pattern;
  std::string (*apply)(const Places& places, Scenario* scenario);
};

template <int64_t Scenario::* setting>
std::string Set(const Places& places, Scenario* scenario) {
  scenario->*setting = places.numbers[0];
  return {};
}

template <int64_t Scenario::* setting>
std::string SetPositive(const Places& places, Scenario* scenario) {
  if (places.numbers[0] < 1) return "at least 1";
  return Set<setting>(places, scenario);
}

template <BrokenPromise promise>
std::string Break(const Places&, Scenario* scenario) {
  scenario->store = promise;
  return {};
}

template <Expectation::Kind kind>
std::string Expect(const Places& places, Scenario* scenario) {
  scenario->expectations.push_back({.kind = kind,
                                    .number = places.numbers.empty() ? 0 : places.numbers[0],
                                    .text = std::string(places.word),
                                    .fault = places.fault});
  return {};
}

constexpr Statement kStatements[] = {
    {"seeds N to N",
     [](const Places& at, Scenario* to) -> std::string {
       if (at.numbers[0] > at.numbers[1]) return "the first seed comes first";
       to->first_seed = static_cast<uint64_t>(at.numbers[0]);
       to->last_seed = static_cast<uint64_t>(at.numbers[1]);
       return {};
     }},
    {"workers N", SetPositive<&Scenario::workers>},
    {"shards N of N records",
     [](const Places& at, Scenario* to) -> std::string {
       if (at.numbers[0] < 1 || at.numbers[1] < 1) return "at least 1 of 1";
       to->shards = at.numbers[0];
       to->records = at.numbers[1];
       return {};
     }},
    {"heartbeat TIME", Set<&Scenario::heartbeat_ms>},
    {"commit every TIME", Set<&Scenario::commit_every_ms>},
    {"grace TIME", Set<&Scenario::grace_ms>},
    {"lanes N", SetPositive<&Scenario::lanes>},
    {"batch N in TIME",
     [](const Places& at, Scenario* to) -> std::string {
       if (at.numbers[0] < 1 || at.numbers[1] < 1) return "at least 1 in 1ms";
       to->batch = at.numbers[0];
       to->batch_ms = at.numbers[1];
       return {};
     }},
    {"one host",
     [](const Places&, Scenario* to) -> std::string {
       to->hosts = Scenario::Hosts::kOne;
       return {};
     }},
    {"many hosts",
     [](const Places&, Scenario* to) -> std::string {
       to->hosts = Scenario::Hosts::kMany;
       return {};
     }},
    {"poison in shard N",
     [](const Places& at, Scenario* to) -> std::string {
       to->poisoned.push_back(at.numbers[0]);
       return {};
     }},
    {"store overwrites", Break<BrokenPromise::kOverwrites>},
    {"store overwrites quietly", Break<BrokenPromise::kQuietlyOverwrites>},
    {"store races", Break<BrokenPromise::kRaces>},
    {"store lists late", Break<BrokenPromise::kStaleList>},
    {"mutant NAME",
     [](const Places& at, Scenario* to) -> std::string {
       const MutantFacts* const facts = FindMutant(at.word);
       if (facts == nullptr) return "a mutant of docs/proof.md";
       to->mutant = facts->mutant;
       return {};
     }},
    {"faults as drawn",
     [](const Places&, Scenario* to) -> std::string {
       to->swarm = true;
       return {};
     }},
    {"fault FAULT one in N",
     [](const Places& at, Scenario* to) -> std::string {
       if (at.fault > kLastStriking) return "a fault that strikes, and not what comes of one";
       to->faults[static_cast<size_t>(at.fault)] = static_cast<uint64_t>(at.numbers[0]);
       return {};
     }},
    {"expect done", Expect<Expectation::Kind::kDone>},
    {"expect done within TIME", Expect<Expectation::Kind::kDoneWithin>},
    {"expect refused", Expect<Expectation::Kind::kRefused>},
    {"expect violation of NAME", Expect<Expectation::Kind::kViolates>},
    {"expect FAULT at least N", Expect<Expectation::Kind::kAtLeast>},
};

// What may stand behind "at TIME" and "after PERCENT".
struct EventStatement {
  std::string_view pattern;
  ScenarioEvent::Kind kind;
  // Where the numbers of the pattern go, in order; {} where it has fewer.
  int64_t ScenarioEvent::* places[2];
};

using Happens = ScenarioEvent::Kind;
using Event = ScenarioEvent;

constexpr EventStatement kEvents[] = {
    {"kill worker N", Happens::kKill, {&Event::worker}},
    {"kill PERCENT of workers", Happens::kKill, {&Event::percent}},
    {"interrupt worker N", Happens::kDrain, {&Event::worker}},
    {"interrupt PERCENT of workers", Happens::kDrain, {&Event::percent}},
    {"freeze worker N for TIME", Happens::kFreeze, {&Event::worker, &Event::ms}},
    {"suspend worker N for TIME", Happens::kSuspend, {&Event::worker, &Event::ms}},
    {"jump clock of worker N by TIME", Happens::kJumpClock, {&Event::worker, &Event::ms}},
    {"clone worker N as worker N", Happens::kClone, {&Event::worker, &Event::other}},
    {"lose heartbeats of worker N for TIME", Happens::kLoseBeats, {&Event::worker, &Event::ms}},
    {"lose data of worker N for TIME", Happens::kLoseData, {&Event::worker, &Event::ms}},
    {"deny worker N for TIME", Happens::kDeny, {&Event::worker, &Event::ms}},
    {"deny everyone for TIME", Happens::kDeny, {&Event::ms}},
    {"store down for TIME", Happens::kBreakDown, {&Event::ms}},
    {"change shard N for TIME", Happens::kChange, {&Event::shard, &Event::ms}},
    {"other version for worker N for TIME", Happens::kReplace, {&Event::worker, &Event::ms}},
    {"delete and submit again", Happens::kResubmit, {}},
    {"delete and submit again under worker N frozen for TIME",
     Happens::kResubmit,
     {&Event::worker, &Event::ms}},
};

// What can stand there, for a line that is none of it: patterns that begin as it does, or all that
// one can begin with.
template <class Table>
std::string Remedy(const Table& table, std::string_view first, std::string_view before) {
  std::vector<std::string> beginnings;
  std::string same;
  for (const auto& entry : table) {
    const std::string beginning(Split(entry.pattern, ' ')[0]);
    if (beginning == first)
      same += fmt::format("{}\"{}{}\"", same.empty() ? "" : " or ", before, entry.pattern);
    if (std::ranges::find(beginnings, beginning) == beginnings.end())
      beginnings.push_back(beginning);
  }
  if (!same.empty()) return "write " + same;
  if (const std::string nearest = NearestWord(first, beginnings); !nearest.empty())
    return fmt::format("perhaps '{}' is meant", nearest);
  return fmt::format("lines {}begin with {}", before.empty() ? "" : "go on or ",
                     fmt::join(beginnings, ", "));
}

class Parser {
 public:
  explicit Parser(std::string_view name) : name_(name) { scenario_.name = name; }

  Result<Scenario> Parse(std::string_view text) {
    for (const std::string_view line : Split(text, '\n')) {
      ++line_;
      const Words words = WordsOf(line);
      if (!words.empty()) RETURN_IF_ERROR(ParseLine(words));
    }
    return Finish();
  }

 private:
  std::unexpected<Error> Wrong(int line, std::string_view what, std::string remedy) const {
    return FailWith(ErrorCode::kInvalid, fmt::format("{}:{}: {}", name_, line, what),
                    std::move(remedy));
  }

  Status ParseLine(const Words& words) {
    for (const std::string_view when : {"at TIME", "after PERCENT"})
      if (words.size() >= 2)
        if (const auto moment = Match(when, {words.begin(), words.begin() + 2}))
          return ParseEvent(when.starts_with("at"), moment->numbers[0],
                            {words.begin() + 2, words.end()});
    for (const Statement& statement : kStatements) {
      const auto places = Match(statement.pattern, words);
      if (!places) continue;
      const size_t before = scenario_.expectations.size();
      if (const std::string wrong = statement.apply(*places, &scenario_); !wrong.empty())
        return Wrong(line_, fmt::format("\"{}\" can't be", fmt::join(words, " ")),
                     fmt::format("write \"{}\" with {}", statement.pattern, wrong));
      if (scenario_.expectations.size() > before) scenario_.expectations.back().line = line_;
      return {};
    }
    std::string remedy = Remedy(kStatements, words[0], "");
    if (words[0] == "at") remedy = "write \"at TIME EVENT\", as \"at 30s kill worker 0\"";
    if (words[0] == "after")
      remedy = "write \"after PERCENT EVENT\", as \"after 60% kill worker 0\"";
    return Wrong(line_, fmt::format("\"{}\" says nothing known", Printable(Joined(words))), remedy);
  }

  static std::string Joined(const Words& words) { return fmt::format("{}", fmt::join(words, " ")); }

  Status ParseEvent(bool is_time, int64_t when, const Words& words) {
    if (words.empty())
      return Wrong(line_, "it does not say what happens then", Remedy(kEvents, "", ""));
    for (const EventStatement& statement : kEvents) {
      const auto places = Match(statement.pattern, words);
      if (!places) continue;
      ScenarioEvent event{.kind = statement.kind, .line = line_};
      (is_time ? event.at_ms : event.after_percent) = when;
      for (size_t i = 0; i < places->numbers.size(); ++i)
        event.*statement.places[i] = places->numbers[i];
      scenario_.events.push_back(event);
      return {};
    }
    return Wrong(line_, fmt::format("\"{}\" is nothing that can happen", Printable(Joined(words))),
                 Remedy(kEvents, words[0], ""));
  }

  // What can be said of a whole file alone.
  Result<Scenario> Finish() {
    if (scenario_.expectations.empty())
      return Wrong(line_, "it does not say what must hold", "add \"expect done\"");
    for (const ScenarioEvent& event : scenario_.events) {
      const int64_t worker =
          event.kind == Happens::kClone ? std::max(event.worker, event.other) : event.worker;
      if (worker >= 0 && worker >= scenario_.workers)
        return Wrong(event.line, fmt::format("there may be no worker {}", worker),
                     fmt::format("say how many there are: \"workers {}\"", worker + 1));
      if (event.shard >= std::max<int64_t>(scenario_.shards, 1))
        return NoShard(event.line, event.shard);
    }
    for (const int64_t shard : scenario_.poisoned)
      if (shard >= std::max<int64_t>(scenario_.shards, 1)) return NoShard(line_, shard);
    if (scenario_.swarm)
      for (uint64_t& one_in : scenario_.faults)
        if (one_in == 0) one_in = kAsDrawn;
    return std::move(scenario_);
  }

  std::unexpected<Error> NoShard(int line, int64_t shard) const {
    return Wrong(line, fmt::format("there may be no shard {}", shard),
                 fmt::format("say how many there are: \"shards {} of 100 records\"", shard + 1));
  }

  const std::string name_;
  int line_ = 0;
  Scenario scenario_;
};

}  // namespace

Result<Scenario> ParseScenario(std::string_view text, std::string_view name) {
  return Parser(name).Parse(text);
}

}  // namespace armada
