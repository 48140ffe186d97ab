#include "ledger/control.h"

#include "ledger/names.h"
#include "ledger/settle.h"

namespace armada {
namespace {

constexpr int kFormat = 1;
constexpr int kMaxTaken = 1000;  // entries that others may append while we look for a free number
constexpr int64_t kMillion = 1'000'000;

Json ToJson(const ControlEntry& entry) {
  Json json = {{"format", kFormat}, {"action", entry.action}};
  if (entry.action == "pause") {
    json["reason"] = entry.reason;
    json["cause"] = entry.cause;
  }
  if (entry.max_dead_ppm >= 0) json["max_dead_ppm"] = entry.max_dead_ppm;
  json["by"] = entry.by;
  json["utc"] = entry.utc;
  return json;
}

}  // namespace

Result<ControlEntry> ParseControl(std::string_view text, int64_t number) {
  const std::string key = ControlKey(number);
  Result<Json> json = ParseJson(text, key);
  if (!json) return Fail(ErrorCode::kCorrupt, "{}", json.error().message);
  const auto text_of = [&](const char* name) { return JsonString(*json, name); };
  const auto format = JsonInt(*json, "format");
  if (!format) return Annotate(format.error(), key);
  if (*format != kFormat)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: format {}, not {}", key, *format, kFormat),
                    "use the version of Armada that wrote it, or a newer one");
  ControlEntry entry{.number = number};
  auto action = text_of("action");
  if (!action) return Annotate(action.error(), key);
  entry.action = std::move(*action);
  if (entry.action != "pause" && entry.action != "resume")
    return Fail(ErrorCode::kCorrupt, "{}: its action is neither pause nor resume", key);
  if (entry.action == "pause") {
    auto reason = text_of("reason");
    if (!reason) return Annotate(reason.error(), key);
    auto cause = text_of("cause");
    if (!cause) return Annotate(cause.error(), key);
    entry.reason = std::move(*reason);
    entry.cause = std::move(*cause);
  }
  if (json->contains("max_dead_ppm")) {
    const auto ppm = JsonInt(*json, "max_dead_ppm");
    if (!ppm || *ppm < 0 || *ppm > kMillion)
      return Fail(ErrorCode::kCorrupt, "{}: max_dead_ppm is not within 0 and 1,000,000", key);
    entry.max_dead_ppm = *ppm;
  }
  entry.by = text_of("by").value_or("");
  entry.utc = text_of("utc").value_or("");
  return entry;
}

Result<ControlState> ReadControl(ObjectStore& store, ControlState from) {
  ControlState state = std::move(from);
  for (;;) {
    const int64_t number = state.last_number + 1;
    Result<std::string> text = GetPatiently(store, ControlKey(number));
    if (!text && text.error().code == ErrorCode::kNotFound) return state;
    if (!text) return std::unexpected(std::move(text).error());
    ASSIGN_OR_RETURN(ControlEntry entry, ParseControl(*text, number));
    state.last_number = number;
    if (entry.max_dead_ppm >= 0) state.max_dead_ppm = entry.max_dead_ppm;
    state.paused = entry.action == "pause";
    state.pause = state.paused ? std::move(entry) : ControlEntry{};
  }
}

Status AppendControl(ObjectStore& store, const ControlEntry& entry) {
  const std::string bytes = StoredJson(ToJson(entry));
  ASSIGN_OR_RETURN(ControlState state, ReadControl(store));
  for (int taken = 0; taken < kMaxTaken; ++taken) {
    const std::string key = ControlKey(state.last_number + 1);
    ASSIGN_OR_RETURN(const std::string standing, CreateOrAdopt(store, key, bytes));
    // Ours, or another's that says the very same: what we wanted to say is said.
    if (standing == bytes) return {};
    ++state.last_number;
  }
  return Fail(ErrorCode::kUnavailable, "{}: {} control objects in a row were taken by others",
              store.name(), kMaxTaken);
}

}  // namespace armada
