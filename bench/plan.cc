// A plan of many names, or of many records, by the planner that ships, into a job folder on disk.
//
//   bench_plan names   FOLDER N   N pictures with generated names, 6,000 a shard
//   bench_plan records FOLDER N   N records in files of a million, 6,000 a shard
//
// The source has no files behind it: it lists names of the length that photos in a bucket have.
// Then the plan is opened as a worker does, and its last group read. Prints one line of JSON:
// shards, parts, their bytes, seconds of both, peak memory of the process.
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/json.h"
#include "ledger/plan.h"
#include "part.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "store/object_store.h"

namespace {

using armada::bench::Die;

constexpr int64_t kShardRecords = 6'000;
constexpr int64_t kFileRecords = 1'000'000;

class Names : public armada::Source {
 public:
  Names(int64_t files, int64_t rows) : files_(files), rows_(rows) {}

  armada::Status List(
      const std::string& after, int64_t* /*skipped*/,
      const std::function<armada::Status(const armada::SourceFile&)>& visit) override {
    for (int64_t i = after.empty() ? 0 : std::stoll(after.substr(after.find('/') + 1)) + 1;
         i < files_; ++i) {
      const std::string path = fmt::format("photos-{:06}/{:012}.jpg", i / 1000, i);
      RETURN_IF_ERROR(
          visit({.path = path,
                 .key = path,
                 .stamp = {.size_bytes = 20'000 + i % 9'973,
                           .etag = fmt::format("{:016x}{:016x}", i * 0x9E3779B97F4A7C15u,
                                               i * 0xC2B2AE3D27D4EB4Fu)},
                 .rows = rows_,
                 .splittable = rows_ > 1,
                 .is_record = rows_ == 1}));
    }
    return {};
  }
  armada::Result<std::unique_ptr<armada::ShardReader>> Open(const armada::ShardInput&,
                                                            int64_t) override {
    return armada::Fail(armada::ErrorCode::kInternal, "there are no files");
  }
  armada::Result<std::vector<std::pair<std::string, std::string>>> KeptColumns() override {
    return std::vector<std::pair<std::string, std::string>>();
  }

 private:
  const int64_t files_;
  const int64_t rows_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) Die("usage: bench_plan names|records FOLDER N");
  const std::string kind = argv[1];
  const int64_t count = std::stoll(argv[3]);
  Names source = kind == "names" ? Names(count, 1) : Names(count / kFileRecords, kFileRecords);
  auto store = armada::OpenStore(argv[2]);
  if (!store) Die(store.error().ToString());
  const std::string job(32, '0');
  const int64_t start_ns = armada::BootNs();
  const auto totals = armada::CompletePlan(
      **store, source, job, {.shard_records = kShardRecords, .part_ms = 1'000'000'000});
  if (!totals) Die(totals.error().ToString());
  const int64_t planned_ns = armada::BootNs();
  const int64_t plan_peak = armada::PeakResidentBytes();
  const auto plan = armada::Plan::Open(**store, job);
  if (!plan) Die(plan.error().ToString());
  const auto group = (*plan)->Group((*plan)->groups() - 1);
  if (!group || (*plan)->totals() != *totals) Die("the plan reads otherwise than it was written");
  const int64_t read_ns = armada::BootNs();
  const auto parts = armada::ListAll(**store, "plan/");
  if (!parts) Die(parts.error().ToString());
  int64_t bytes = 0;
  for (const armada::ObjectInfo& part : *parts) bytes += part.size_bytes;
  const armada::Json json = {{"records", totals->records},
                             {"files", totals->files},
                             {"shards", totals->shards},
                             {"parts", parts->size()},
                             {"bytes", bytes},
                             {"plan_s", static_cast<double>(planned_ns - start_ns) / 1e9},
                             {"plan_peak_mb", static_cast<double>(plan_peak) / 1e6},
                             {"open_s", static_cast<double>(read_ns - planned_ns) / 1e9},
                             {"peak_mb", static_cast<double>(armada::PeakResidentBytes()) / 1e6}};
  std::puts(json.dump().c_str());
}
