#include "worker/worker.h"

#include <algorithm>
#include <utility>

#include "engine/engine.h"
#include "engine/smoke.h"
#include "ledger/control.h"
#include "ledger/parity.h"
#include "ledger/plan.h"
#include "platform/clock.h"
#include "platform/entropy.h"
#include "platform/env.h"
#include "platform/file.h"
#include "worker/lanes.h"
#include "worker/loop.h"

namespace armada {
namespace {

constexpr int64_t kBudgetBytes = 8 << 20;     // uncommitted results of a process, before a commit
constexpr int64_t kMaxBatchBytes = 16 << 20;  // features of one batch
constexpr int64_t kPlaces = 1 << 30;          // where a worker that nobody numbers may begin
constexpr int64_t kMaxBatch = 1024;           // larger ones cost memory and were no faster

int64_t RecordBytes(const JobRecord& record) {
  return record.signature.inputs[0].elements() * ElementBytes(record.input.element);
}

int64_t MaxBatch(const JobRecord& record) {
  if (record.spec.plan.batch > 0) return record.spec.plan.batch;
  // No shard fills a larger one. (One of a tar file may: there the tuner has to find out.)
  const int64_t most = std::min(kMaxBatch, record.shard_records);
  return std::clamp<int64_t>(kMaxBatchBytes / std::max<int64_t>(1, RecordBytes(record)), 1, most);
}

ControlConfig ConfigFor(const Job& job, const Plan& plan, const ControlState& control,
                        const WorkerOptions& options, Id id) {
  ControlConfig config;
  config.shards = plan.totals().shards;
  config.planned = plan.totals().finished;
  config.index = options.index;
  config.workers = options.workers;
  if (options.index < 0) {  // nobody says where: anywhere, as others will too
    config.workers = kPlaces;
    config.index = static_cast<int64_t>(id.low % static_cast<uint64_t>(kPlaces));
  }
  config.heartbeat_ms = job.record.spec.plan.heartbeat_ms;
  config.commit_every_ms = job.record.spec.plan.commit_every_ms;
  config.budget_bytes = kBudgetBytes;
  config.grace_ms = options.grace_ms;
  config.max_dead_ppm =
      control.max_dead_ppm >= 0 ? control.max_dead_ppm : job.record.spec.limits.max_dead_ppm;
  return config;
}

}  // namespace

int64_t LaneCount(int64_t asked, int64_t workers) {
  if (asked > 0) return asked;
  return std::max<int64_t>(1, UsableCores() / workers);
}

Result<WorkerOutcome> RunWorker(Job& job, const WorkerOptions& options) {
  const JobRecord& record = job.record;
  ASSIGN_OR_RETURN(const ControlState control, ReadControl(*job.store));
  RETURN_IF_ERROR(CheckNotCancelled(control, job.store->name()));
  if (control.paused) {
    WorkerOutcome outcome;
    outcome.reason = StopReason::kPaused;
    outcome.message = control.pause.reason;
    return outcome;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Plan> plan, Plan::Open(*job.store, record.job_id));
  std::shared_ptr<Engine> engine = job.opened.engine;
  if (!engine) {
    ASSIGN_OR_RETURN(engine, NewEngine(record.engine));
  }
  if (record.precision == Precision::kBf16 && !engine->HasBf16())
    return FailWith(
        ErrorCode::kInvalid,
        fmt::format("this job computes in bf16, which this CPU ({}) does not have", CpuModelName()),
        "run this worker on a machine with AVX512_BF16 or AMX, or submit with "
        "model.precision: f32");
  const Id id = [] {
    Random random = EntropyRandom();
    return Id::Draw(random);
  }();
  ASSIGN_OR_RETURN(const std::string model_path,
                   FetchModel(*job.store, record, TempFolder() + "/armada-" + id.ToString()));
  LanesOptions lane_options;
  lane_options.lanes = LaneCount(options.lanes, options.workers);
  lane_options.batch = record.spec.plan.batch;
  lane_options.max_batch = MaxBatch(record);
  lane_options.record_bytes = RecordBytes(record);
  lane_options.picture = record.input.picture;
  lane_options.hold_bytes = 2 * kBudgetBytes;
  InputSpec input = record.input;
  ASSIGN_OR_RETURN(std::unique_ptr<Source> source, OpenSource(&input));

  Mailbox<LoopMessage> mail;
  ModelOptions model_options = ModelOptionsOf(record, 1, static_cast<int>(lane_options.lanes));
  // Whoever submitted in this process has tried the model in a child already.
  if (options.smoke_test && !job.opened.engine) {
    RETURN_IF_ERROR(
        SmokeTest(record.engine, model_path, model_options, {.model_sha256 = record.model_sha256}));
  }
  if (record.parity && !job.opened.engine)
    RETURN_IF_ERROR(CheckParityHere(*engine, record, model_path, *job.store));
  const auto open_model = [&](int64_t batch) -> Result<std::shared_ptr<Model>> {
    ModelOptions sized = model_options;
    sized.max_batch = batch;
    if (sized == job.opened.options && job.opened.model)
      return std::exchange(job.opened.model, nullptr);
    return engine->Open(model_path, sized);
  };
  lane_options.new_guard = [&](const std::atomic<bool>& cancelled) {
    return NewProbation(record, model_path, {.batch_ms = options.probation_ms}, cancelled);
  };
  Lanes lanes(*source, open_model, record.schema, lane_options,
              [&mail](LaneReport report) { mail.Post(std::move(report)); });
  RETURN_IF_ERROR(lanes.Start());
  Loop loop(job, *plan, *source, lanes, mail, ConfigFor(job, *plan, control, options, id), options,
            id);
  WorkerOutcome outcome = loop.Run();
  outcome.peak_bytes = PeakResidentBytes();
  outcome.cpu_ns = ProcessCpuNs();
  return outcome;
}

}  // namespace armada
