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
#include "platform/process.h"
#include "worker/lanes.h"
#include "worker/log_shipper.h"
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

Id DrawId() {
  Random random = EntropyRandom();
  return Id::Draw(random);
}

LanesOptions LanesFor(const JobRecord& record, const WorkerOptions& options) {
  LanesOptions lanes;
  lanes.lanes = LaneCount(options.lanes, options.workers);
  lanes.batch = record.spec.plan.batch;
  lanes.max_batch = MaxBatch(record);
  lanes.record_bytes = RecordBytes(record);
  lanes.picture = record.input.picture;
  lanes.hold_bytes = 2 * kBudgetBytes;
  return lanes;
}

// What a worker is whatever its id.
struct Worker {
  Job& job;
  const WorkerOptions& options;
  const ControlState& control;
  Plan& plan;
  Source& source;
  Engine& engine;
  std::string model_path;
  ModelOptions model_options;
  LogShipper log{{}};
};

// Works under one id.
Result<WorkerOutcome> WorkAs(Id id, Worker& worker, const WorkerOptions& options) {
  const JobRecord& record = worker.job.record;
  OpenedModel& opened = worker.job.opened;
  Mailbox<LoopMessage> mail;
  const auto open_model = [&](int64_t batch) -> Result<std::shared_ptr<Model>> {
    ModelOptions sized = worker.model_options;
    sized.max_batch = batch;
    if (sized == opened.options && opened.model) return std::exchange(opened.model, nullptr);
    return worker.engine.Open(worker.model_path, sized);
  };
  LanesOptions lane_options = LanesFor(record, options);
  lane_options.new_guard = [&](const std::atomic<bool>& cancelled) {
    return NewProbation(record, worker.model_path, {.batch_ms = options.probation_ms}, cancelled);
  };
  Lanes lanes(worker.source, open_model, record.schema, lane_options,
              [&mail](LaneReport report) { mail.Post(std::move(report)); });
  RETURN_IF_ERROR(lanes.Start());
  Loop loop(worker.job, worker.plan, worker.source, lanes, mail, worker.log,
            ConfigFor(worker.job, worker.plan, worker.control, options, id), options, id);
  return loop.Run();
}

// Of a worker that was another before.
Progress Joined(const Progress& before, Progress progress) {
  progress.elapsed_ms += before.elapsed_ms;
  progress.records += before.records;
  progress.dead += before.dead;
  progress.commits += before.commits;
  if (before.first_prediction_ms >= 0) progress.first_prediction_ms = before.first_prediction_ms;
  return progress;
}

Result<WorkerOutcome> WorkToEnd(Worker& worker) {
  Progress before;
  WorkerOptions options = worker.options;
  if (worker.options.on_progress)
    options.on_progress = [&](const Progress& progress) {
      worker.options.on_progress(Joined(before, progress));
    };
  for (Id id = worker.options.id.value_or(DrawId());; id = DrawId()) {
    ASSIGN_OR_RETURN(WorkerOutcome outcome, WorkAs(id, worker, options));
    outcome.progress = before = Joined(before, outcome.progress);
    if (outcome.reason != StopReason::kCloned) return outcome;
    outcome.reason = StopReason::kAsked;
    if (StopSignal() != 0) return outcome;
    worker.log.BeginAnew();
  }
}

}  // namespace

int64_t LaneCount(int64_t asked, int64_t workers) {
  if (asked > 0) return asked;
  return std::max<int64_t>(1, UsableCores() / workers);
}

Result<WorkerOutcome> RunWorker(Job& job, const WorkerOptions& options) {
  const JobRecord& record = job.record;
  ASSIGN_OR_RETURN(const ControlState control, ReadControl(*job.store));
  if (control.cancelled || control.paused) {
    WorkerOutcome outcome;
    outcome.reason = control.cancelled ? StopReason::kCancelled : StopReason::kPaused;
    outcome.message = control.cancelled ? control.cancel.reason : control.pause.reason;
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
  ASSIGN_OR_RETURN(const std::string model_path,
                   FetchModel(*job.store, record, TempFolder() + "/armada-" + DrawId().ToString()));
  InputSpec input = record.input;
  ASSIGN_OR_RETURN(std::unique_ptr<Source> source, OpenSource(&input));
  const auto lanes = static_cast<int>(LaneCount(options.lanes, options.workers));
  const ModelOptions model_options = ModelOptionsOf(record, 1, lanes);
  // Whoever submitted in this process has tried the model in a child already.
  if (options.smoke_test && !job.opened.engine) {
    RETURN_IF_ERROR(
        SmokeTest(record.engine, model_path, model_options, {.model_sha256 = record.model_sha256}));
  }
  if (record.parity && !job.opened.engine)
    RETURN_IF_ERROR(CheckParityHere(*engine, record, model_path, *job.store));
  Worker worker{job, options, control, *plan, *source, *engine, model_path, model_options};
  ASSIGN_OR_RETURN(WorkerOutcome outcome, WorkToEnd(worker));
  outcome.peak_bytes = PeakResidentBytes();
  outcome.cpu_ns = ProcessCpuNs();
  return outcome;
}

}  // namespace armada
