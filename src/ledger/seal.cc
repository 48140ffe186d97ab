#include "ledger/seal.h"

#include "base/json.h"
#include "base/text.h"
#include "ledger/names.h"
#include "ledger/settle.h"

namespace armada {
namespace {

constexpr int64_t kFormat = 1;

Result<const Json*> List(const Json& json, const char* key) {
  if (const auto it = json.find(key); it != json.end() && it->is_array()) return &*it;
  return Fail(ErrorCode::kCorrupt, "'{}' is missing or no array", key);
}

Result<AuditedObject> ParseObject(const Json& json) {
  AuditedObject object;
  ASSIGN_OR_RETURN(object.key, JsonString(json, "key"));
  ASSIGN_OR_RETURN(object.size_bytes, JsonInt(json, "bytes"));
  ASSIGN_OR_RETURN(object.rows, JsonInt(json, "rows"));
  ASSIGN_OR_RETURN(object.dead, JsonInt(json, "dead"));
  ASSIGN_OR_RETURN(object.sha256, JsonString(json, "sha256"));
  return object;
}

Result<std::vector<AuditedObject>> ParseObjects(const Json& json) {
  ASSIGN_OR_RETURN(const Json* list, List(json, "objects"));
  std::vector<AuditedObject> objects;
  for (const Json& item : *list) {
    ASSIGN_OR_RETURN(AuditedObject object, ParseObject(item));
    objects.push_back(std::move(object));
  }
  return objects;
}

Result<DoneSeal> ParseDone(const Json& json) {
  DoneSeal done;
  ASSIGN_OR_RETURN(done.job_id, JsonString(json, "job_id"));
  ASSIGN_OR_RETURN(done.utc, JsonString(json, "utc"));
  ASSIGN_OR_RETURN(done.shards, JsonInt(json, "shards"));
  ASSIGN_OR_RETURN(done.records, JsonInt(json, "records"));
  ASSIGN_OR_RETURN(done.dead, JsonInt(json, "dead"));
  ASSIGN_OR_RETURN(done.objects, JsonInt(json, "objects"));
  ASSIGN_OR_RETURN(done.bytes, JsonInt(json, "bytes"));
  ASSIGN_OR_RETURN(done.manifest_sha256, JsonString(json, "manifest_sha256"));
  ASSIGN_OR_RETURN(const Json* groups, List(json, "group_sha256"));
  for (const Json& sha256 : *groups) {
    if (!sha256.is_string()) return Fail(ErrorCode::kCorrupt, "'group_sha256' holds no strings");
    done.group_sha256.push_back(sha256.get<std::string>());
  }
  return done;
}

}  // namespace

std::string GroupSealText(int64_t group, const GroupAudit& audit) {
  int64_t rows = 0;
  int64_t dead = 0;
  Json objects = Json::array();
  for (const AuditedObject& object : audit.objects) {
    rows += object.rows;
    dead += object.dead;
    objects.push_back({{"key", object.key},
                       {"bytes", object.size_bytes},
                       {"rows", object.rows},
                       {"dead", object.dead},
                       {"sha256", object.sha256}});
  }
  return StoredJson({{"format", kFormat},
                     {"group", group},
                     {"rows", rows},
                     {"dead", dead},
                     {"objects", std::move(objects)}});
}

Result<std::vector<AuditedObject>> ParseGroupSeal(std::string_view text, std::string_view name) {
  ASSIGN_OR_RETURN(const Json json, ParseStoredJson(text, name, kFormat));
  auto objects = ParseObjects(json);
  if (!objects) return Annotate(objects.error(), name);
  return objects;
}

std::string DoneSeal::ToText() const {
  return StoredJson({{"format", kFormat},
                     {"job_id", job_id},
                     {"utc", utc},
                     {"shards", shards},
                     {"records", records},
                     {"dead", dead},
                     {"objects", objects},
                     {"bytes", bytes},
                     {"manifest_sha256", manifest_sha256},
                     {"group_sha256", group_sha256}});
}

Result<DoneSeal> DoneSeal::Parse(std::string_view text, std::string_view name) {
  ASSIGN_OR_RETURN(const Json json, ParseStoredJson(text, name, kFormat));
  auto done = ParseDone(json);
  if (!done) return Annotate(done.error(), name);
  return done;
}

Result<bool> IsDone(ObjectStore& store, std::string_view job_id) {
  const auto text = GetPatiently(store, kDoneKey);
  if (!text && text.error().code == ErrorCode::kNotFound) return false;
  if (!text) return std::unexpected(text.error());
  ASSIGN_OR_RETURN(const DoneSeal done, DoneSeal::Parse(*text, kDoneKey));
  if (done.job_id != job_id) return OfAnotherJob(kDoneKey, done.job_id);
  return true;
}

std::unexpected<Error> OfAnotherJob(std::string_view key, std::string_view owner) {
  return FailWith(
      ErrorCode::kInvalid,
      fmt::format("{}: it is of job {}, which was deleted from this folder while a worker of it "
                  "still ran",
                  key, Printable(owner)),
      fmt::format("end that worker, remove {}, and armada resume", key));
}

}  // namespace armada
