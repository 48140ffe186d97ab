#include "worker/lanes.h"

#include <algorithm>
#include <utility>

#include "data/picture_features.h"
#include "platform/clock.h"
#include "worker/answers.h"

namespace armada {
namespace {

constexpr int kReadTries = 5;            // of a batch whose source is unavailable
constexpr int64_t kReadBackoffMs = 200;  // doubled with every try

}  // namespace

struct Lanes::OpenShard {
  int64_t shard = 0;
  uint32_t open_id = 0;
  ShardInput input;
  int64_t next = 0;  // the position to read next
  std::unique_ptr<ShardReader> reader;
  bool reading = false;
  bool exhausted = false;  // nothing left to read, or given up
  bool closed = false;
  std::shared_ptr<ProbationTrail> trail;  // of a guarded one; else null
  std::map<int64_t, ResultBlock> blocks;  // by lo
  int64_t bytes = 0;
};

struct Lanes::Lane {
  std::unique_ptr<Stream> stream;
  int64_t batch = 0;                            // that the stream is for
  std::vector<std::span<const float>> outputs;  // of the model, in its order
  std::vector<std::span<const float>> chosen;   // of the schema
  std::unique_ptr<PictureFeatures> pictures;    // where records are some
  std::atomic<int64_t> run_since_ns{0};         // 0: it runs none
  Thread thread;
};

Lanes::Lanes(Source& source, OpenModel open_model, const OutputSchema& schema,
             const LanesOptions& options, std::function<void(LaneReport)> report)
    : source_(source),
      open_model_(std::move(open_model)),
      schema_(schema),
      options_(options),
      report_(std::move(report)),
      tuner_(options.batch, options.max_batch) {
  batch_ = tuner_.batch();
}

Lanes::~Lanes() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  guard_cancelled_ = true;
  work_.notify_all();
  lanes_.clear();  // joins
}

Status Lanes::Start() {
  model_batch_ = tuner_.batch();
  ASSIGN_OR_RETURN(model_, open_model_(model_batch_));
  ASSIGN_OR_RETURN(output_indices_, MatchOutputs(schema_, model_->signature()));
  for (const TensorSpec& output : model_->signature().outputs)
    output_elements_.push_back(output.elements());
  for (int64_t i = 0; i < options_.lanes; ++i) {
    auto lane = std::make_unique<Lane>();
    ASSIGN_OR_RETURN(lane->stream, model_->NewStream());
    lane->batch = model_batch_;
    lane->outputs.resize(model_->signature().outputs.size());
    lane->chosen.resize(output_indices_.size());
    if (options_.picture) lane->pictures = std::make_unique<PictureFeatures>(*options_.picture);
    lanes_.push_back(std::move(lane));
  }
  for (auto& lane : lanes_) lane->thread = Thread([this, &lane = *lane] { Run(lane); });
  return {};
}

void Lanes::Open(int64_t shard, uint32_t open_id, const ShardInput& input, int64_t from,
                 std::shared_ptr<ProbationTrail> trail) {
  auto open = std::make_shared<OpenShard>();
  open->shard = shard;
  open->open_id = open_id;
  open->input = input;
  open->next = from;
  if (options_.new_guard) open->trail = std::move(trail);
  {
    MutexLock lock(mutex_);
    open_.emplace(open_id, std::move(open));
  }
  work_.notify_all();
}

void Lanes::Close(uint32_t open_id) {
  MutexLock lock(mutex_);
  auto it = open_.find(open_id);
  if (it == open_.end()) return;
  it->second->closed = true;
  held_bytes_ -= it->second->bytes;
  open_.erase(it);
  work_.notify_all();
}

void Lanes::Encode(uint32_t open_id, uint32_t request, const CommitFacts& facts) {
  MutexLock lock(mutex_);
  auto it = open_.find(open_id);
  if (it == open_.end()) return;
  encodings_.push_back({it->second, request, facts});
  work_.notify_one();
}

void Lanes::StopDispatch() {
  MutexLock lock(mutex_);
  if (!std::exchange(dispatching_, false)) return;
  guard_cancelled_ = true;  // bisecting may take longer than leaving
  if (in_flight_ == 0) report_({.kind = LaneReport::Kind::kQuiet});
}

void Lanes::Run(Lane& lane) {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (!encodings_.empty()) {
      const Encoding encoding = std::move(encodings_.front());
      encodings_.pop_front();
      EncodeNow(lock, encoding);
    } else if (std::shared_ptr<OpenShard> shard = NextToRead()) {
      Predict(lane, lock, shard);
    } else {
      work_.wait(lock);
    }
  }
}

std::shared_ptr<Lanes::OpenShard> Lanes::NextToRead() {
  if (!dispatching_ || held_bytes_ >= options_.hold_bytes) return nullptr;
  for (auto& [open_id, shard] : open_)
    if (!shard->exhausted && !shard->reading && !(shard->trail && guard_busy_)) return shard;
  return nullptr;
}

// The shard's next batch, opening it where it is not open. Without the lock: `reading` is ours.
Result<Batch> Lanes::Read(OpenShard& shard, int64_t rows) {
  for (int attempt = 1;; ++attempt) {
    Status opened;
    if (!shard.reader) {
      Result<std::unique_ptr<ShardReader>> reader = source_.Open(shard.input, shard.next);
      if (reader) shard.reader = std::move(*reader);
      if (!reader) opened = std::unexpected(std::move(reader).error());
    }
    Result<Batch> batch =
        opened ? shard.reader->Next(rows) : std::unexpected(std::move(opened).error());
    if (batch || batch.error().code != ErrorCode::kUnavailable || attempt == kReadTries)
      return batch;
    shard.reader.reset();
    SleepMs(kReadBackoffMs << attempt);
  }
}

// Called and left with the lock held; the work itself is done without it.
void Lanes::Predict(Lane& lane, MutexLock& lock, const std::shared_ptr<OpenShard>& shard) {
  shard->reading = true;
  guard_busy_ = guard_busy_ || shard->trail != nullptr;
  ++in_flight_;
  if (std::optional<Batch> batch = NextBatch(lane, lock, *shard)) {
    const int64_t records = batch->rows;
    lock.unlock();

    if (!shard->trail) lane.run_since_ns = BootNs();
    Status filled;
    if (lane.pictures && !shard->trail) filled = lane.pictures->Fill(&*batch);
    const int64_t started_ns = BootNs();
    Result<ResultBlock> block = !filled        ? std::unexpected(std::move(filled).error())
                                : shard->trail ? InferGuarded(*std::move(batch), *shard->trail)
                                               : Infer(lane, *std::move(batch));
    const int64_t ended_ns = BootNs();
    const int64_t run_ns = ended_ns - lane.run_since_ns.exchange(0);

    lock.lock();
    int64_t never = 0;
    first_prediction_ns_.compare_exchange_strong(never, ended_ns);
    if (block && !shard->trail) {
      tuner_.Measured(lane.batch, records, ended_ns - started_ns);
      batch_.store(tuner_.batch(), std::memory_order_relaxed);
      slowest_run_ns_ = std::max(slowest_run_ns_.load(), run_ns);
    }
    Keep(*shard, std::move(block));
  }
  if (shard->trail) guard_busy_ = false;
  FinishRange();
}

// Reads it, with the lock held before and after. nullopt: there is none, and that is reported.
std::optional<Batch> Lanes::NextBatch(Lane& lane, MutexLock& lock, OpenShard& shard) {
  const Status renewed = TakeNewModel(lane, lock);
  const int64_t rows = shard.trail ? std::min(lane.batch, kProbationBatch) : lane.batch;
  lock.unlock();

  Result<Batch> batch = renewed ? Read(shard, rows) : std::unexpected(renewed.error());

  lock.lock();
  shard.reading = false;
  if (!batch) {
    shard.exhausted = true;
    Report(shard, {.kind = LaneReport::Kind::kFault, .error = std::move(batch).error()});
    return std::nullopt;
  }
  shard.next = batch->hi;
  const int64_t end = shard.input.end;
  shard.exhausted = batch->rows == 0 || batch->hi == end;
  if (shard.exhausted) shard.reader.reset();
  if (batch->rows == 0) {
    // The end of a source whose length the plan did not know: an empty range up to the planned end.
    if (batch->lo < end) Report(shard, {.lo = batch->lo, .hi = end});
    return std::nullopt;
  }
  work_.notify_one();  // the shard can be read again
  return *std::move(batch);
}

// With the lock held: reports what was predicted, or why not, and holds it until it is encoded.
void Lanes::Keep(OpenShard& shard, Result<ResultBlock> block) {
  if (!block) {
    shard.exhausted = true;
    if (block.error().code == ErrorCode::kCancelled) return;  // its records are still to be done
    Report(shard, {.kind = LaneReport::Kind::kFault, .error = std::move(block).error()});
    return;
  }
  if (shard.closed) return;
  const int64_t bytes = block->bytes();
  shard.bytes += bytes;
  held_bytes_ += bytes;
  Report(shard, {.lo = block->lo,
                 .hi = block->hi,
                 .records = block->rows,
                 .dead = static_cast<int64_t>(block->faults.size()),
                 .bytes = bytes});
  const int64_t lo = block->lo;
  shard.blocks.emplace(lo, *std::move(block));
}

// When the tuner wants another batch size: one lane opens the model for it while the others go on
// with the old one, then each takes a stream of the new.
Status Lanes::TakeNewModel(Lane& lane, MutexLock& lock) {
  const int64_t wanted = tuner_.batch();
  if (wanted != model_batch_ && !opening_) {
    opening_ = true;
    lock.unlock();
    Result<std::shared_ptr<Model>> model = open_model_(wanted);
    lock.lock();
    opening_ = false;
    if (!model) return std::unexpected(std::move(model).error());
    model_ = std::move(*model);
    model_batch_ = wanted;
  }
  if (lane.batch == model_batch_) return {};
  ASSIGN_OR_RETURN(lane.stream, model_->NewStream());
  lane.batch = model_batch_;
  return {};
}

Result<ResultBlock> Lanes::Infer(Lane& lane, Batch batch) {
  const size_t bytes = static_cast<size_t>(batch.rows * options_.record_bytes);
  RETURN_IF_ERROR(lane.stream->Run({batch.features, bytes}, batch.rows, lane.outputs));
  for (size_t i = 0; i < output_indices_.size(); ++i)
    lane.chosen[i] = lane.outputs[output_indices_[i]];
  return Answer(std::move(batch), lane.chosen);
}

// By the one lane that has guard_.
Result<ResultBlock> Lanes::InferGuarded(Batch batch, ProbationTrail& trail) {
  if (!guard_) guard_ = options_.new_guard(guard_cancelled_);
  ASSIGN_OR_RETURN(Attempt all, RunGuarded(*guard_, batch, output_elements_, &trail));
  batch.faults = std::move(all.faults);
  std::vector<std::span<const float>> chosen;
  for (const size_t index : output_indices_) chosen.emplace_back(all.outputs[index]);
  return Answer(std::move(batch), chosen);
}

ResultBlock Lanes::Answer(Batch batch, std::span<const std::span<const float>> chosen) {
  ResultBlock block;
  block.lo = batch.lo;
  block.hi = batch.hi;
  block.rows = batch.rows;
  block.faults = std::move(batch.faults);
  block.positions = std::move(batch.positions);
  block.ids = std::move(batch.ids);
  block.kept = std::move(batch.kept);
  FillAnswers(schema_, chosen, &block);
  return block;
}

int64_t Lanes::oldest_run_ns() const {
  int64_t oldest_ns = 0;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    const int64_t since_ns = lane->run_since_ns.load(std::memory_order_relaxed);
    if (since_ns > 0 && (oldest_ns == 0 || since_ns < oldest_ns)) oldest_ns = since_ns;
  }
  return oldest_ns;
}

void Lanes::EncodeNow(MutexLock& lock, const Encoding& encoding) {
  if (encoding.shard->closed) return;
  std::vector<ResultBlock> blocks;
  auto& held = encoding.shard->blocks;
  for (auto it = held.begin(); it != held.end() && it->first < encoding.facts.hi;
       it = held.erase(it)) {
    const int64_t bytes = it->second.bytes();
    encoding.shard->bytes -= bytes;
    held_bytes_ -= bytes;
    blocks.push_back(std::move(it->second));
  }
  lock.unlock();
  work_.notify_all();

  std::vector<const ResultBlock*> pointers;
  for (const ResultBlock& block : blocks) pointers.push_back(&block);
  Result<EncodedCommit> commit =
      EncodeCommit(schema_, encoding.shard->input.path, encoding.facts, pointers);
  blocks.clear();

  LaneReport report{.kind = LaneReport::Kind::kEncoded,
                    .lo = encoding.facts.lo,
                    .hi = encoding.facts.hi,
                    .request = encoding.request};
  if (commit) {
    report.commit = std::make_shared<const EncodedCommit>(*std::move(commit));
  } else {
    report.kind = LaneReport::Kind::kFault;
    report.error = std::move(commit).error();
  }
  lock.lock();
  Report(*encoding.shard, std::move(report));
}

void Lanes::Report(const OpenShard& shard, LaneReport report) {
  if (shard.closed) return;
  report.shard = shard.shard;
  report.open_id = shard.open_id;
  report_(std::move(report));
}

void Lanes::FinishRange() {
  --in_flight_;
  if (!dispatching_ && in_flight_ == 0) report_({.kind = LaneReport::Kind::kQuiet});
  work_.notify_one();
}

}  // namespace armada
