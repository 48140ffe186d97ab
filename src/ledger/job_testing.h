// A tiny job for tests: an IDX input, a fake model, and commits made up for its shards.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "data/parquet_commit.h"
#include "ledger/job.h"
#include "ledger/names.h"
#include "ledger/plan.h"
#include "platform/scratch_folder.h"
#include "store/memory_store.h"

namespace armada {

// Passes every call on to another store, which several may share. Base of stores that meddle.
class PassingStore : public ObjectStore {
 public:
  explicit PassingStore(ObjectStore& base) : base_(base) {}
  Status Create(std::string_view key, std::string_view bytes) override {
    return base_.Create(key, bytes);
  }
  Status Put(std::string_view key, std::string_view bytes) override {
    return base_.Put(key, bytes);
  }
  Result<std::string> Get(std::string_view key) override { return base_.Get(key); }
  Result<Suffix> GetSuffix(std::string_view key, int64_t length) override {
    return base_.GetSuffix(key, length);
  }
  Result<ListPage> List(std::string_view prefix, std::string_view start_after, int limit) override {
    return base_.List(prefix, start_after, limit);
  }
  Status Delete(std::string_view key) override { return base_.Delete(key); }
  std::string name() const override { return base_.name(); }

 private:
  ObjectStore& base_;
};

// Of 2×2 pixels.
inline std::string IdxFile(int rows) {
  std::string bytes = {0, 0, 8, 3, 0, 0, 0, static_cast<char>(rows), 0, 0, 0, 2, 0, 0, 0, 2};
  for (int i = 0; i < rows * 4; ++i) bytes += static_cast<char>(i * 7);
  return bytes;
}

inline constexpr char kFakeModel[] = R"({
  "inputs": [{"name": "image", "type": "u8", "shape": [2, 2]}],
  "outputs": [{"name": "digit", "type": "f32", "shape": [10]}]})";

// The job's files in a folder of their own: 30 + 12 records, shards of 10.
struct TinyJob {
  ScratchFolder folder;
  JobSpec spec;
  MemoryStore store;

  TinyJob() {
    Write("input/a.idx", IdxFile(30));
    Write("input/b.idx", IdxFile(12));
    Write("model.fake.json", kFakeModel);
    spec.name = "tiny";
    spec.job = folder / "tiny.armada";
    spec.model.path = folder / "model.fake.json";
    spec.input.uri = folder / "input";
    spec.postprocess.top_k = 1;
    spec.plan.shard_records = 10;
  }
  void Write(const std::string& name, std::string_view bytes) {
    CHECK(ReplaceFile(folder / name, bytes).has_value());
  }
  // Into store, which the Job passes its calls on to.
  Result<Job> Submit(bool* created = nullptr) {
    bool ignored = false;
    return armada::Submit(std::make_unique<PassingStore>(store), spec,
                          created != nullptr ? created : &ignored);
  }
};

// A commit of [lo, hi), as a worker would make it: its first record is dead when lo == 0.
inline EncodedCommit MakeCommit(const Job& job, const PlannedShard& planned, int64_t lo,
                                int64_t hi) {
  ResultBlock block{.lo = lo, .hi = hi, .rows = hi - lo};
  block.labels.assign(static_cast<size_t>(hi - lo), 7);
  block.scores.assign(static_cast<size_t>(hi - lo), 0.5f);
  if (lo == 0) block.faults.push_back({.row = 0, .reason = "made up"});
  const ResultBlock* blocks[] = {&block};
  auto commit = EncodeCommit(job.record.schema, planned.input.path,
                             {.job_id = job.record.job_id,
                              .shard = planned.shard,
                              .lo = lo,
                              .hi = hi,
                              .last = hi == planned.input.end,
                              .attempt_id = "attempt"},
                             blocks);
  CHECK(commit.has_value());
  return std::move(*commit);
}

inline std::string Commit(Job& job, const PlannedShard& planned, int64_t lo, int64_t hi) {
  const std::string key = OutKey(job.record.job_id, planned.shard, lo);
  CHECK(job.store->Create(key, MakeCommit(job, planned, lo, hi).bytes).has_value());
  return key;
}

// Commits all shards, each in two halves where it has more than one record.
inline void CommitAll(Job& job, Plan& plan) {
  for (int64_t shard = 0; shard < plan.totals().shards; ++shard) {
    const PlannedShard planned = *plan.Shard(shard);
    const int64_t begin = planned.input.begin;
    const int64_t end = planned.input.end;
    const int64_t middle = begin + (end - begin) / 2;
    if (middle > begin) Commit(job, planned, begin, middle);
    Commit(job, planned, middle, end);
  }
}

}  // namespace armada
