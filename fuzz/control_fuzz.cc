// Any bytes as what a job folder holds: control objects, job.json, the seals, plan parts, manifests
// and the names of data objects. An Error or a value, and a record that was taken survives the way
// back.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "data/parquet_manifest.h"
#include "data/parquet_plan.h"
#include "ledger/control.h"
#include "ledger/job.h"
#include "ledger/names.h"
#include "ledger/seal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace armada;
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)ParseControl(text, 1);
  (void)ParseGroupSeal(text, "group");
  if (const auto done = DoneSeal::Parse(text, "DONE")) CHECK(!done->ToText().empty());
  if (const auto name = ParseOutKey(text))
    CHECK(OutKey(name->job_id, name->shard, name->lo) == text);
  if (const auto json = ParseJson(text, "job.json"))
    if (const auto record = JobRecord::FromJson(*json)) {
      const auto again = JobRecord::FromJson(record->ToJson());
      CHECK(again.has_value());
      CHECK(again->ToJson() == record->ToJson());
    }
  (void)DecodePlanPart(text, "0123456789abcdef0123456789abcdef", 0);
  (void)ReadManifest(text, [](const ManifestRow&) -> Status { return {}; });
  return 0;
}
