#include "cli/exit_code.h"

namespace armada {

ExitCode ExitCodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kInvalid:
      return kExitBadInput;
    case ErrorCode::kExists:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kUnavailable:
    case ErrorCode::kCorrupt:
    case ErrorCode::kDenied:
      return kExitStore;
    case ErrorCode::kLimit:
      return kExitLimit;
    case ErrorCode::kCancelled:
      return kExitInterrupted;
    case ErrorCode::kInternal:
      return kExitFailed;
  }
  return kExitFailed;
}

ExitCode ExitCodeOfPause(std::string_view cause) {
  if (cause == "too_many_dead") return kExitLimit;
  if (cause == "input" || cause == "input_changed") return kExitBadInput;
  if (cause == "corrupt") return kExitStore;
  if (cause == "operator") return kExitInterrupted;  // nothing is wrong: it goes on when resumed
  return kExitFailed;
}

ExitCode ExitCodeOf(const WorkerOutcome& outcome, std::string_view pause_cause) {
  switch (outcome.reason) {
    case StopReason::kDone:
      return kExitDone;
    case StopReason::kAsked:
      return kExitInterrupted;
    case StopReason::kCancelled:
      return kExitBadInput;
    case StopReason::kTooManyDead:
      return kExitLimit;
    case StopReason::kCorrupt:
      return kExitStore;
    case StopReason::kPaused:
      return ExitCodeOfPause(pause_cause);
    case StopReason::kFault:
      return ExitCodeOf(Error{outcome.fault, {}, {}});
    case StopReason::kCloned:  // it goes on under another id
    case StopReason::kNone:
      return kExitFailed;
  }
  return kExitFailed;
}

bool WorthRestarting(int exit_code) {
  switch (exit_code) {
    case kExitDone:
    case kExitUsage:
    case kExitBadInput:
    case kExitLimit:
    case kExitInterrupted:
      return false;
    default:
      return true;
  }
}

}  // namespace armada
