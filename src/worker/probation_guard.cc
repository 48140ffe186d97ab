// The parent's side of probation.

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include "base/text.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "worker/probation.h"
#include "worker/probation_wire.h"

namespace armada {
namespace {

constexpr int64_t kSliceMs = 50;           // how late a wish to cancel is seen
constexpr int64_t kStartMs = 300'000;      // a child's model is open by then
constexpr int64_t kEndMs = 10'000;         // from a closed socket to the process's end
constexpr int64_t kSlowest = 20;           // × the slowest good batch: what is no hang
constexpr int kKilledTries = 3;            // of a child that somebody else kills
constexpr int64_t kKilledBackoffMs = 500;  // doubled with every try

// A batch as the child gets it.
struct Request {
  Json head;
  std::vector<std::byte> bytes;
  std::vector<RecordFault> faults;  // of payloads that can't be read
};

Result<Request> MakeRequest(const Batch& batch, int64_t begin, int64_t end, int64_t record_bytes) {
  Request request;
  request.head["rows"] = end - begin;
  if (!batch.payload) {
    const std::byte* first = batch.features + begin * record_bytes;
    request.bytes.assign(first, first + (end - begin) * record_bytes);
    return request;
  }
  Json sizes = Json::array();
  std::vector<std::byte> buffer;
  for (int64_t row = begin; row < end; ++row) {
    const bool known = std::ranges::binary_search(batch.faults, row, {}, &RecordFault::row);
    Result<std::span<const std::byte>> bytes = std::span<const std::byte>();
    if (!known) bytes = batch.payload(row, &buffer);
    if (!bytes && bytes.error().code != ErrorCode::kInvalid)
      return std::unexpected(std::move(bytes).error());
    if (!bytes) request.faults.push_back({.row = row - begin, .reason = bytes.error().message});
    sizes.push_back(known || !bytes ? int64_t{-1} : static_cast<int64_t>(bytes->size()));
    if (bytes) request.bytes.insert(request.bytes.end(), bytes->begin(), bytes->end());
  }
  request.head["sizes"] = std::move(sizes);
  return request;
}

class Probation : public Guard {
 public:
  Probation(const JobRecord& record, const std::string& model_path, const ProbationOptions& options,
            const std::atomic<bool>& cancelled)
      : hello_(FrameText(
            {{"record", record.ToJson()}, {"model", model_path}, {"rows", kProbationBatch}})),
        record_bytes_(record.signature.inputs[0].elements() * ElementBytes(record.input.element)),
        options_(options),
        cancelled_(cancelled) {}

  Result<Attempt> Run(const Batch& batch, int64_t begin, int64_t end, bool fresh) override {
    ASSIGN_OR_RETURN(const Request request, MakeRequest(batch, begin, end, record_bytes_));
    for (int tries = 1;; ++tries) {
      if (cancelled_) return Fail(ErrorCode::kCancelled, "asked to leave");
      if (fresh && used_) child_.reset();
      if (!child_) RETURN_IF_ERROR(Start());
      Attempt attempt;
      attempt.fresh = !std::exchange(used_, true);
      attempt.faults = request.faults;
      const int64_t started_ms = BootMs();
      const Status done = Exchange(request, &attempt);
      if (done) {
        slowest_ms_ = std::max(slowest_ms_, BootMs() - started_ms);
        return attempt;
      }
      if (done.error().code == ErrorCode::kCancelled || said_error_) {
        child_.reset();
        return std::unexpected(done.error());
      }
      if (Explain(done.error(), &attempt)) return attempt;
      if (tries == kKilledTries)
        return FailWith(ErrorCode::kLimit,
                        "the engine's child process was killed, as the system does when memory is "
                        "short",
                        "use a machine with more memory, or fewer workers on it");
      SleepMs(kKilledBackoffMs << tries);
    }
  }

 private:
  Status Start() {
    std::vector<std::string> command = options_.command;
    if (command.empty()) {
      ASSIGN_OR_RETURN(const std::string self, SelfPath());
      command = {self, "probation"};
    }
    SpawnOptions spawn;
    spawn.talk = true;
    spawn.capture_stdout = true;  // what an engine prints is for nobody
    spawn.capture_stderr = true;
    ASSIGN_OR_RETURN(Child child, Child::Spawn(command, spawn));
    child_ = std::move(child);
    used_ = false;
    said_error_ = false;
    deadline_ms_ = BootMs() + kStartMs;
    const Status sent = SendFrame(std::as_bytes(std::span(hello_)));
    const Result<Json> ready = sent ? ReceiveJson() : std::unexpected(sent.error());
    if (ready) {
      limit_bytes_ = ready->value("limit", int64_t{0});
      return {};
    }
    const std::optional<ExitState> state = child_->Wait(said_error_ ? kEndMs : kSliceMs);
    const std::string how = state ? state->ToString() : "no end";
    child_.reset();
    if (said_error_ || ready.error().code == ErrorCode::kCancelled)
      return std::unexpected(ready.error());
    return Fail(ErrorCode::kInternal,
                "the engine's child process did not start: {} before it was given a record", how);
  }

  // The answer, or kUnavailable when the child ended, kLimit when its time is up.
  Status Exchange(const Request& request, Attempt* attempt) {
    limit_ms_ = std::max(options_.batch_ms, kSlowest * slowest_ms_);
    deadline_ms_ = BootMs() + limit_ms_;
    const std::string head = FrameText(request.head);
    RETURN_IF_ERROR(SendFrame(std::as_bytes(std::span(head))));
    RETURN_IF_ERROR(SendFrame(request.bytes));
    ASSIGN_OR_RETURN(const Json reply, ReceiveJson());
    ASSIGN_OR_RETURN(const int64_t outputs, JsonInt(reply, "outputs"));
    for (const Json& fault : reply.value("faults", Json::array())) {
      ASSIGN_OR_RETURN(const int64_t row, JsonInt(fault, "row"));
      ASSIGN_OR_RETURN(std::string reason, JsonString(fault, "reason"));
      attempt->faults.push_back({.row = row, .reason = std::move(reason)});
    }
    for (int64_t i = 0; i < outputs; ++i) {
      ASSIGN_OR_RETURN(const uint64_t size, ReceiveSize());
      std::vector<float>& output = attempt->outputs.emplace_back(size / sizeof(float));
      RETURN_IF_ERROR(Receive(std::as_writable_bytes(std::span(output))));
    }
    return {};
  }

  // Ends the child that gave no answer and says what became of it. False: that says nothing about
  // the records.
  bool Explain(const Error& error, Attempt* attempt) {
    if (error.code == ErrorCode::kLimit) {
      child_.reset();
      attempt->death = Attempt::Death::kSilence;
      attempt->how = fmt::format("the engine gave no answer within {:g} s",
                                 static_cast<double>(limit_ms_) / 1000);
      return true;
    }
    const ExitState state = child_->Wait(kEndMs).value_or(ExitState{.code = 0, .signal = SIGKILL});
    child_.reset();
    if (state.signal == SIGKILL) return false;
    if (state.signal != 0) {
      attempt->death = Attempt::Death::kSignal;
      attempt->how = fmt::format("the engine died of {} on it", SignalName(state.signal));
    } else if (state.code == kExitOutOfMemory) {
      attempt->death = Attempt::Death::kMemory;
      attempt->how =
          fmt::format("the engine ran out of memory (limit {})", HumanBytes(limit_bytes_));
    } else {
      attempt->death = Attempt::Death::kExit;
      attempt->how = fmt::format("the engine ended its process (exit {}) on it", state.code);
    }
    return true;
  }

  int64_t LeftMs() const { return std::max<int64_t>(0, deadline_ms_ - BootMs()); }

  Status SendFrame(std::span<const std::byte> bytes) {
    const uint64_t size = bytes.size();
    RETURN_IF_ERROR(child_->Send(SizeBytes(size), LeftMs()));
    return child_->Send(bytes, LeftMs());
  }

  Status Receive(std::span<std::byte> bytes) {
    while (!child_->HasWord(std::min(kSliceMs, LeftMs()))) {
      if (cancelled_) {
        child_.reset();
        return Fail(ErrorCode::kCancelled, "asked to leave");
      }
      if (LeftMs() == 0) return Fail(ErrorCode::kLimit, "no answer");
    }
    return child_->Receive(bytes, LeftMs());
  }

  Result<uint64_t> ReceiveSize() {
    uint64_t size = 0;
    RETURN_IF_ERROR(Receive(std::as_writable_bytes(std::span(&size, 1))));
    if (size > kMaxFrameBytes) return Fail(ErrorCode::kUnavailable, "a frame of {} bytes", size);
    return size;
  }

  Result<Json> ReceiveJson() {
    ASSIGN_OR_RETURN(const uint64_t size, ReceiveSize());
    std::string text(size, ' ');
    RETURN_IF_ERROR(Receive(std::as_writable_bytes(std::span(text))));
    ASSIGN_OR_RETURN(Json json, ParseJson(text, "the reply of the engine's child process"));
    said_error_ = json.is_object() && json.contains("message");
    if (!said_error_) return json;
    return std::unexpected(Error{static_cast<ErrorCode>(json.value("code", 10)),
                                 json.value("message", ""), json.value("remedy", "")});
  }

  const std::string hello_;
  const int64_t record_bytes_;
  const ProbationOptions options_;
  const std::atomic<bool>& cancelled_;
  std::optional<Child> child_;
  bool used_ = false;        // the child has run something
  bool said_error_ = false;  // the child's last word was an error
  int64_t limit_bytes_ = 0;
  int64_t limit_ms_ = 0;
  int64_t deadline_ms_ = 0;
  int64_t slowest_ms_ = 0;
};

}  // namespace

std::unique_ptr<Guard> NewProbation(const JobRecord& record, const std::string& model_path,
                                    const ProbationOptions& options,
                                    const std::atomic<bool>& cancelled) {
  return std::make_unique<Probation>(record, model_path, options, cancelled);
}

}  // namespace armada
