#include "store/probe.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "platform/clock.h"
#include "platform/thread.h"

namespace armada {
namespace {

constexpr int kRacers = 32;
constexpr int kRounds = 5;
constexpr int kMaxRounds = 15;  // rounds that timeouts made inconclusive are raced again
constexpr int kTries = 6;
constexpr int64_t kFirstBackoffMs = 20;

bool MayPass(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kUnknownOutcome;
}

// Calls until the answer is more than "try again".
template <class T>
Result<T> Ask(const std::function<Result<T>()>& call) {
  int64_t backoff_ms = kFirstBackoffMs;
  for (int tries = 1;; ++tries) {
    Result<T> answer = call();
    if (answer || !MayPass(answer.error()) || tries == kTries) return answer;
    SleepMs(backoff_ms);
    backoff_ms *= 2;
  }
}

class Probe {
 public:
  Probe(ObjectStore& store, std::string_view nonce)
      : store_(store), prefix_(fmt::format("probe/{}/", nonce)) {}

  Result<ProbeResult> Run() {
    Status status = CheckTwice();
    for (int round = 0; status && holds() && result_.races < kRounds; ++round) {
      if (round == kMaxRounds)
        status =
            Fail(ErrorCode::kUnavailable, "{}: too many requests without an answer", store_.name());
      else
        status = CheckRace(round);
    }
    if (status && holds()) status = CheckList();
    // A role that may not delete leaves them, which harms nobody: the nonce is never used again.
    for (const std::string& key : keys_) {
      const auto remove = [&] { return store_.Delete(key); };
      (void)(status ? Ask<void>(remove) : remove());
    }
    if (!status) return std::unexpected(std::move(status).error());
    result_.ok = holds();
    return result_;
  }

 private:
  bool holds() const { return result_.failure.empty(); }

  std::string NewKey(std::string_view name) {
    keys_.push_back(prefix_ + std::string(name));
    return keys_.back();
  }

  // As long as a small commit's footer, and different in its length and in every line.
  static std::string Body(int racer) {
    std::string body;
    for (int line = 0; line < 20 + racer; ++line) body += fmt::format("{}:{}\n", racer, line);
    return body;
  }

  // nullopt when the key is absent.
  Result<std::optional<std::string>> Read(const std::string& key) {
    Result<std::string> bytes = Ask<std::string>([&] { return store_.Get(key); });
    if (bytes) return std::move(*bytes);
    if (bytes.error().code == ErrorCode::kNotFound) return std::nullopt;
    return std::unexpected(std::move(bytes).error());
  }

  Status CheckTwice() {
    const std::string key = NewKey("twice");
    const std::string first = Body(0), second = Body(1);
    const Status created = Ask<void>([&] { return store_.Create(key, first); });
    // "Exists" may be an earlier send of the first bytes, whose answer got lost.
    if (!created && created.error().code != ErrorCode::kExists) return created;
    const Status again = Ask<void>([&] { return store_.Create(key, second); });
    if (!again && again.error().code != ErrorCode::kExists) return again;
    if (again) {
      result_.failure =
          "a second create of the same key was accepted: the store ignores \"only if absent\"";
      return {};
    }
    ASSIGN_OR_RETURN(const std::optional<std::string> body, Read(key));
    if (body != first) {
      result_.failure = "a create that was refused, or an earlier one, left other bytes";
      return {};
    }
    ASSIGN_OR_RETURN(const Suffix suffix, Ask<Suffix>([&] { return store_.GetSuffix(key, 10); }));
    if (suffix.bytes != first.substr(first.size() - 10) ||
        suffix.size_bytes != static_cast<int64_t>(first.size()))
      result_.failure = "the end of an object is not what was written";
    return {};
  }

  // Answers of all racers, who start at once.
  std::vector<Status> Race(const std::string& key) {
    std::vector<Status> answers(kRacers);
    Mutex mutex;
    CondVar changed;
    int waiting = 0;
    std::vector<Thread> racers;
    for (int racer = 0; racer < kRacers; ++racer)
      racers.emplace_back([&, racer] {
        const std::string body = Body(racer);
        {
          MutexLock lock(mutex);
          if (++waiting == kRacers) changed.notify_all();
          changed.wait(lock, [&] { return waiting == kRacers; });
        }
        answers[racer] = store_.Create(key, body);
      });
    racers.clear();  // joins
    return answers;
  }

  Status CheckRace(int round) {
    const std::string key = NewKey(fmt::format("race-{}", round));
    std::vector<int> winners, unsure;
    int refused = 0;
    const std::vector<Status> answers = Race(key);
    for (int racer = 0; racer < kRacers; ++racer) {
      const Status& answer = answers[racer];
      if (answer) {
        winners.push_back(racer);
      } else if (answer.error().code == ErrorCode::kExists) {
        ++refused;
      } else if (answer.error().code == ErrorCode::kUnknownOutcome) {
        unsure.push_back(racer);
      } else if (answer.error().code != ErrorCode::kUnavailable) {
        return answer;
      }
    }
    if (winners.size() > 1) {
      result_.failure = fmt::format(
          "{} of {} creates of one key at the same time were all accepted: \"only if absent\" is "
          "checked, but not atomically",
          winners.size(), kRacers);
      return {};
    }
    ASSIGN_OR_RETURN(const std::optional<std::string> body, Read(key));
    // Without a winner the object may be that of a racer who got no answer; without an object
    // there was no race.
    if (winners.empty() && !body && refused == 0) return {};
    const auto wrote = [&](int racer) { return body == Body(racer); };
    if (std::ranges::none_of(winners.empty() ? unsure : winners, wrote)) {
      result_.failure = fmt::format(
          "after {} creates of one key at the same time its bytes are not those of the winner",
          kRacers);
      return {};
    }
    ++result_.races;
    return {};
  }

  Status CheckList() {
    ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed,
                     Ask<std::vector<ObjectInfo>>([&] { return ListAll(store_, prefix_); }));
    std::vector<std::string> names;
    for (const ObjectInfo& object : listed) names.push_back(object.key);
    if (!std::ranges::is_sorted(names)) {
      result_.failure = "a listing is not in the order of its keys";
      return {};
    }
    for (const std::string& key : keys_) {
      if (std::ranges::binary_search(names, key)) continue;
      ASSIGN_OR_RETURN(const std::optional<std::string> body, Read(key));
      if (!body) continue;  // a round in which no request arrived
      result_.failure = "an object that was just created is missing from the listing";
    }
    return {};
  }

  ObjectStore& store_;
  const std::string prefix_;
  std::vector<std::string> keys_;
  ProbeResult result_;
};

}  // namespace

Result<ProbeResult> ProbeStore(ObjectStore& store, std::string_view nonce) {
  return Probe(store, nonce).Run();
}

}  // namespace armada
