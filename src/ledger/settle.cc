#include "ledger/settle.h"

#include "platform/clock.h"
#include "platform/process.h"

namespace armada {
namespace {

constexpr int kMaxTries = 8;
constexpr int64_t kFirstPauseMs = 25;  // doubled with each try: about 3 s in all

}  // namespace

bool Patience::Again() {
  if (++tries_ >= kMaxTries || StopSignal() != 0) return false;
  SleepMs(kFirstPauseMs << (tries_ - 1));
  return true;
}

Result<bool> CreateSettled(ObjectStore& store, std::string_view key, std::string_view bytes) {
  for (Patience patience;;) {
    Status created = store.Create(key, bytes);
    if (created) return true;
    const ErrorCode code = created.error().code;
    if (code == ErrorCode::kExists) return false;
    if (code == ErrorCode::kUnknownOutcome) {
      const auto there = store.GetSuffix(key, 1);
      if (there) return false;
      // Absent proves nothing: the write may still land. The same bytes again.
    } else if (code != ErrorCode::kUnavailable) {
      return std::unexpected(std::move(created).error());
    }
    if (!patience.Again())
      return Fail(ErrorCode::kUnavailable, "{}/{} could not be written: {}", store.name(), key,
                  created.error().message);
  }
}

Result<std::string> GetPatiently(ObjectStore& store, std::string_view key) {
  return Patiently([&] { return store.Get(key); });
}

Result<Suffix> GetSuffixPatiently(ObjectStore& store, std::string_view key, int64_t length) {
  return Patiently([&] { return store.GetSuffix(key, length); });
}

Result<bool> Exists(ObjectStore& store, std::string_view key) {
  const Result<Suffix> suffix = GetSuffixPatiently(store, key, 1);
  if (suffix) return true;
  if (suffix.error().code == ErrorCode::kNotFound) return false;
  return std::unexpected(suffix.error());
}

Result<std::string> CreateOrAdopt(ObjectStore& store, std::string_view key, std::string bytes) {
  ASSIGN_OR_RETURN(const bool created, CreateSettled(store, key, bytes));
  if (created) return bytes;
  return GetPatiently(store, key);
}

std::string StoredJson(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Json> ParseStoredJson(std::string_view text, std::string_view key, int64_t format) {
  auto json = ParseJson(text, key);
  if (!json) return Fail(ErrorCode::kCorrupt, "{}", json.error().message);
  const auto is = JsonInt(*json, "format");
  if (!is) return Annotate(is.error(), key);
  if (*is != format)
    return FailWith(ErrorCode::kInvalid, fmt::format("{}: format {}, not {}", key, *is, format),
                    "use the version of Armada that wrote it, or a newer one");
  return json;
}

}  // namespace armada
