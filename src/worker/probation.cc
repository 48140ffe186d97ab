#include "worker/probation.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace armada {
namespace {

constexpr int kSingleTries = 3;  // two of them, at least, in new children

// Halves a batch until what remains is run or dead.
class Bisection {
 public:
  Bisection(Guard& guard, const Batch& batch, std::span<const int64_t> elements,
            ProbationTrail* trail)
      : guard_(guard), batch_(batch), elements_(elements), trail_(trail), faults_(batch.faults) {
    for (const int64_t count : elements)
      outputs_.emplace_back(static_cast<size_t>(batch.rows * count));
  }

  Status Run(int64_t begin, int64_t end) {
    if (end - begin == 1) return RunOne(begin);
    // What a worker died on with its child is run a record at a time, so that the next one knows.
    if (!trail_ || !trail_->Suspects(Position(begin), Position(end - 1))) {
      if (trail_) trail_->Mark(Position(begin), Position(end - 1));
      ASSIGN_OR_RETURN(const Attempt attempt, guard_.Run(batch_, begin, end, /*fresh=*/false));
      if (attempt.death == Attempt::Death::kNone) return Keep(attempt, begin, end);
    }
    const int64_t middle = begin + (end - begin) / 2;
    RETURN_IF_ERROR(Run(begin, middle));
    return Run(middle, end);
  }

  Attempt Take() {
    Attempt all;
    std::ranges::stable_sort(faults_, {}, &RecordFault::row);
    const auto twice = std::ranges::unique(faults_, {}, &RecordFault::row);
    faults_.erase(twice.begin(), twice.end());
    all.faults = std::move(faults_);
    all.outputs = std::move(outputs_);
    return all;
  }

 private:
  int64_t Position(int64_t row) const {
    return batch_.positions.empty() ? batch_.lo + row : batch_.positions[static_cast<size_t>(row)];
  }

  Status RunOne(int64_t row) {
    if (trail_ && trail_->EndedOn(Position(row)) >= kEpochsOfDeath) {
      faults_.push_back({.row = row,
                         .reason = fmt::format("the worker ended with the engine on it, {} times",
                                               kEpochsOfDeath)});
      return {};
    }
    if (trail_) trail_->Mark(Position(row), Position(row));
    std::optional<Attempt> before;  // a death in a new child
    for (int tries = 0; tries < kSingleTries; ++tries) {
      ASSIGN_OR_RETURN(Attempt attempt, guard_.Run(batch_, row, row + 1, /*fresh=*/tries > 0));
      if (attempt.death == Attempt::Death::kNone) return Keep(attempt, row, row + 1);
      if (!attempt.fresh) continue;  // perhaps what was run before it is to blame
      if (before) {
        const std::string reason = before->death == attempt.death
                                       ? attempt.how + ", twice"
                                       : fmt::format("{}, then {}", before->how, attempt.how);
        faults_.push_back({.row = row, .reason = reason});
        return {};
      }
      before = std::move(attempt);
    }
    return Fail(ErrorCode::kInternal, "the child of the engine is never a new one");
  }

  Status Keep(const Attempt& attempt, int64_t begin, int64_t end) {
    bool fits = attempt.outputs.size() == outputs_.size();
    for (size_t i = 0; fits && i < outputs_.size(); ++i)
      fits = static_cast<int64_t>(attempt.outputs[i].size()) == (end - begin) * elements_[i];
    if (!fits) return Fail(ErrorCode::kInternal, "the engine's child process answers nonsense");
    for (size_t i = 0; i < outputs_.size(); ++i) {
      std::ranges::copy(attempt.outputs[i], outputs_[i].begin() + begin * elements_[i]);
    }
    for (const RecordFault& fault : attempt.faults)
      faults_.push_back({.row = begin + fault.row, .reason = fault.reason});
    return {};
  }

  Guard& guard_;
  const Batch& batch_;
  const std::span<const int64_t> elements_;
  ProbationTrail* const trail_;
  std::vector<RecordFault> faults_;
  std::vector<std::vector<float>> outputs_;
};

}  // namespace

Result<Attempt> RunGuarded(Guard& guard, const Batch& batch, std::span<const int64_t> elements,
                           ProbationTrail* trail) {
  Bisection bisection(guard, batch, elements, trail);
  if (batch.rows > 0) RETURN_IF_ERROR(bisection.Run(0, batch.rows));
  return bisection.Take();
}

}  // namespace armada
