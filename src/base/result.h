// Result<T>: a value, or an Error that says what happened, where, and what to do about it.
//
// Armada throws no exceptions of its own; those of third parties end at the door that includes
// them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace armada {

// A code names the caller's next move, not the cause; the message names the cause.
// Persisted in log records: never renumber.
enum class ErrorCode : uint8_t {
  kNotFound = 1,        // the thing is not there; reading again will not help
  kExists = 2,          // somebody was first: read what is there
  kUnknownOutcome = 3,  // the write may or may not have happened, or may still: read, then resend
  kUnavailable = 4,     // try again later
  kInvalid = 5,         // the caller's input is wrong: change it
  kCorrupt = 6,         // stored data breaks its format or the protocol: stop
  kDenied = 7,          // credentials or permissions
  kCancelled = 8,       // asked to stop
  kLimit = 9,           // a bound was reached (budget, memory, dead records)
  kInternal = 10,       // a defect of Armada
};

// "invalid", "not found", … for messages and logs.
std::string_view ErrorCodeName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // what and where, one sentence without a full stop
  std::string remedy;   // what to do; may be empty

  // "message\n  remedy" as the command line prints it.
  std::string ToString() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// return Fail(ErrorCode::kInvalid, "{}: not an IDX file", path);
template <class... Args>
std::unexpected<Error> Fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...), {}});
}

// The same with a remedy.
inline std::unexpected<Error> FailWith(ErrorCode code, std::string message, std::string remedy) {
  return std::unexpected(Error{code, std::move(message), std::move(remedy)});
}

// Puts "where: " before an error's message on its way up.
inline std::unexpected<Error> Annotate(Error error, std::string_view where) {
  error.message = fmt::format("{}: {}", where, error.message);
  return std::unexpected(std::move(error));
}

}  // namespace armada

#define ARMADA_CONCAT_INNER(a, b) a##b
#define ARMADA_CONCAT(a, b) ARMADA_CONCAT_INNER(a, b)

// RETURN_IF_ERROR(Write(path, bytes));
#define RETURN_IF_ERROR(expression)                                                                \
  do {                                                                                             \
    if (auto status_ = (expression); !status_) return std::unexpected(std::move(status_).error()); \
  } while (false)

// ASSIGN_OR_RETURN(std::string bytes, Read(path));
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_INNER(ARMADA_CONCAT(result_, __LINE__), declaration, expression)
#define ASSIGN_OR_RETURN_INNER(result, declaration, expression)   \
  auto result = (expression);                                     \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = std::move(*result)
