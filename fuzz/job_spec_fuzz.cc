// Any bytes as a job file: an Error or a spec, in bounded time and memory; and a spec that was
// taken survives the way through job.json.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "ledger/job_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto spec = armada::ParseJobSpec(text, "job.yaml", "/jobs", {});
  if (!spec) {
    CHECK(!spec.error().message.empty());
    return 0;
  }
  const armada::Json json = spec->ToJson();
  const auto again = armada::JobSpecFromJson(json);
  CHECK(again.has_value());
  CHECK(again->ToJson().dump() == json.dump());
  // The same bytes as an override: of every kind of value.
  for (const char* key : {"name=", "preprocess.mean=", "input.columns=", "plan.batch="})
    (void)armada::ParseJobSpec("{}", "job.yaml", "/jobs", {key + text});
  return 0;
}
