// armada_scale: a job of ten million shards on ten thousand workers, in virtual time, and what it
// costs.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/json.h"
#include "base/text.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "sim/scale_report.h"
#include "sim/scale_world.h"

namespace armada {
namespace {

int Main(int argc, char** argv) {
  CLI::App app("Runs a whole job at its full size, with the control planes that ship.",
               "armada_scale");
  ScaleSettings settings;
  bool json = false;
  app.add_option("--seed", settings.seed);
  app.add_option("--shards", settings.shards)->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--workers", settings.workers)->check(CLI::Range(1, 1'000'000));
  app.add_option("--heartbeat-ms", settings.heartbeat_ms, "plan.heartbeat");
  app.add_option("--shard-ms", settings.shard_ms, "what the usual shard takes a lane");
  app.add_option("--lanes", settings.lanes, "of a machine")->check(CLI::Range(1, 1'000));
  app.add_option("--interruptions-per-kh", settings.interruptions_per_kh,
                 "of one machine, in a thousand hours");
  app.add_option("--noticed-percent", settings.noticed_percent, "of them, two minutes before")
      ->check(CLI::Range(0, 100));
  app.add_option("--boot-ms", settings.boot_ms, "until another machine has taken its place");
  app.add_option("--get-ms", settings.get_ms);
  app.add_option("--put-ms", settings.put_ms);
  app.add_option("--list-ms", settings.list_ms);
  app.add_option("--put-usd", settings.put_usd, "a thousand PUT or LIST");
  app.add_option("--get-usd", settings.get_usd, "a thousand GET");
  app.add_flag("--json", json);
  CLI11_PARSE(app, argc, argv);
  const int64_t start_ns = BootNs();
  const ScaleResult result = ScaleWorld(settings).Run([](int64_t now_ms, int64_t complete) {
    fmt::print(stderr, "after {}: {} shards complete\n", HumanDuration(now_ms),
               WithThousands(complete));
  });
  const ScaleCost cost{.seconds = static_cast<double>(BootNs() - start_ns) / 1e9,
                       .peak_bytes = PeakResidentBytes()};
  fmt::print("{}", json ? ScaleJson(settings, result, cost).dump(1) + "\n"
                        : ScaleText(settings, result, cost));
  return result.done ? 0 : 1;
}

}  // namespace
}  // namespace armada

int main(int argc, char** argv) { return armada::Main(argc, argv); }
