// What a scale run is of (scale_world.h): sizes, a coarse data plane, a market, a store's latency
// and its prices. Every figure here is an assumption of the run, and printed with its result.
#pragma once

#include <cstdint>

namespace armada {

struct ScaleSettings {
  uint64_t seed = 1;
  int64_t shards = 10'000'000;
  int64_t workers = 10'000;

  int64_t heartbeat_ms = 60'000;  // plan.heartbeat
  int64_t commit_every_ms = 300'000;
  int64_t grace_ms = 25'000;

  // A shard takes a lane between half and one and a half of this; one in a hundred, five times
  // that. One machine in ten is three times slower than the others.
  int64_t shard_ms = 60'000;
  int64_t lanes = 4;  // of a machine; they share a shard
  int64_t batch_ms = 500;
  int64_t shard_records = 6'000;

  // Spot: each machine is taken so often in a thousand hours; the rest comes without a notice.
  int64_t interruptions_per_kh = 50;
  int64_t noticed_percent = 80;
  int64_t notice_ms = 120'000;
  int64_t boot_ms = 180'000;  // until another has taken its place

  int64_t get_ms = 20;
  int64_t put_ms = 30;
  int64_t list_ms = 60;

  // Amazon S3 Standard's public list prices in us-east-1, a thousand requests.
  double put_usd = 0.005;  // and LIST
  double get_usd = 0.0004;
};

}  // namespace armada
