// What a scale run came to, as text and as JSON.
#pragma once

#include <string>

#include "base/json.h"
#include "sim/scale_settings.h"
#include "sim/scale_world.h"

namespace armada {

// Of the simulation itself.
struct ScaleCost {
  double seconds = 0;
  int64_t peak_bytes = 0;
};

double RequestsUsd(const ScaleSettings& settings, const Requests& requests);
// The budgets of design 6: requests by budget, a shard and a worker-minute.
double RequestsAShard(const ScaleSettings& settings, const ScaleResult& result);
double RequestsAMinute(const ScaleResult& result);
// Of these: by workers that have nothing to claim, to find what is free.
double WatchingAMinute(const ScaleResult& result);

std::string ScaleText(const ScaleSettings& settings, const ScaleResult& result,
                      const ScaleCost& cost);
Json ScaleJson(const ScaleSettings& settings, const ScaleResult& result, const ScaleCost& cost);

}  // namespace armada
