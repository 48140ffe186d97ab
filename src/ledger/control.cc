#include "ledger/control.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/ranges.h>

#include "ledger/job.h"
#include "ledger/names.h"
#include "ledger/settle.h"

namespace armada {
namespace {

constexpr int kFormat = 1;
constexpr int kMaxTaken = 1000;  // entries that others may append while we look for a free number
constexpr int64_t kMillion = 1'000'000;
constexpr std::string_view kActions[] = {"pause", "resume", "set", "cancel"};
// What workers look at while they work.
constexpr std::string_view kSettable[] = {"limits.max_dead"};

Json ToJson(const ControlEntry& entry) {
  Json json = {{"format", kFormat}, {"action", entry.action}};
  if (entry.action == "pause" || entry.action == "cancel") {
    json["reason"] = entry.reason;
    json["cause"] = entry.cause;
  }
  if (entry.action == "set") json["set"] = entry.set;
  if (entry.max_dead_ppm >= 0) json["max_dead_ppm"] = entry.max_dead_ppm;
  json["by"] = entry.by;
  json["utc"] = entry.utc;
  return json;
}

Status ParseSet(const Json& json, const std::string& key, std::map<std::string, std::string>* set) {
  const auto found = json.find("set");
  if (found == json.end() || !found->is_object())
    return Fail(ErrorCode::kCorrupt, "{}: it sets nothing", key);
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) return Fail(ErrorCode::kCorrupt, "{}: {} is no text", key, name);
    (*set)[name] = value.get<std::string>();
  }
  return {};
}

}  // namespace

Result<ControlEntry> ParseControl(std::string_view text, int64_t number) {
  const std::string key = ControlKey(number);
  ASSIGN_OR_RETURN(const Json json, ParseStoredJson(text, key, kFormat));
  const auto text_of = [&](const char* name) { return JsonString(json, name); };
  ControlEntry entry{.number = number};
  auto action = text_of("action");
  if (!action) return Annotate(action.error(), key);
  entry.action = std::move(*action);
  if (std::ranges::find(kActions, entry.action) == std::end(kActions))
    return Fail(ErrorCode::kCorrupt, "{}: its action is none of pause, resume, set and cancel",
                key);
  if (entry.action == "set") RETURN_IF_ERROR(ParseSet(json, key, &entry.set));
  if (entry.action == "pause" || entry.action == "cancel") {
    auto reason = text_of("reason");
    if (!reason) return Annotate(reason.error(), key);
    auto cause = text_of("cause");
    if (!cause) return Annotate(cause.error(), key);
    entry.reason = std::move(*reason);
    entry.cause = std::move(*cause);
  }
  if (json.contains("max_dead_ppm")) {
    const auto ppm = JsonInt(json, "max_dead_ppm");
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
    for (const auto& [key, value] : entry.set) state.set[key] = value;
    if (entry.action == "pause" || entry.action == "resume") {
      state.paused = entry.action == "pause";
      state.pause = state.paused ? std::move(entry) : ControlEntry{};
    } else if (entry.action == "cancel" && !std::exchange(state.cancelled, true)) {
      state.cancel = std::move(entry);
    }
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

Status AppendPause(ObjectStore& store, std::string_view job_id, const ControlEntry& entry) {
  RETURN_IF_ERROR(CheckStands(store, job_id));
  return AppendControl(store, entry);
}

Result<ControlEntry> MakeSetEntry(const JobSpec& spec, const std::vector<std::string>& overrides) {
  ControlEntry entry{.action = "set"};
  for (const std::string& text : overrides) {
    const std::string key = text.substr(0, text.find('='));
    const auto known = std::ranges::find(SpecKeys(), key, &SpecKey::path);
    if (known != SpecKeys().end() && known->identity)
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{} is part of what the job is, and can't be set", key),
                      "submit another job, to another folder");
    // Unknown keys are the job file parser's to name.
    if (known != SpecKeys().end() && std::ranges::find(kSettable, key) == std::end(kSettable))
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{} is not looked at while a job is under way", key),
                      fmt::format("what can be set: {}", fmt::join(kSettable, ", ")));
  }
  ASSIGN_OR_RETURN(const JobSpec changed,
                   ParseJobSpec(spec.ToJson().dump(), std::string(kJobKey), "", overrides));
  for (const std::string& text : overrides) {
    const size_t equals = text.find('=');
    entry.set[text.substr(0, equals)] = text.substr(equals + 1);
  }
  entry.max_dead_ppm = changed.limits.max_dead_ppm;
  return entry;
}

Status CheckNotCancelled(const ControlState& control, std::string_view job) {
  if (!control.cancelled) return {};
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: the job was cancelled at {}{}{}", job, control.cancel.utc,
                              control.cancel.reason.empty() ? "" : ": ", control.cancel.reason),
                  "a cancelled job does not go on: submit it to another folder");
}

}  // namespace armada
