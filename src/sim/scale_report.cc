#include "sim/scale_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace armada {
namespace {

Json ToJson(const Requests& requests) {
  return {{"put", requests.puts}, {"get", requests.gets}, {"list", requests.lists}};
}

double Minutes(int64_t ms) { return static_cast<double>(ms) / 60'000; }

double Share(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(std::max<int64_t>(1, whole));
}

std::string RequestTable(const ScaleSettings& settings, const ScaleResult& result) {
  std::string text = fmt::format("  {:<15}{:>14}{:>15}{:>15}{:>15}{:>11}\n", "", "times", "PUT",
                                 "GET", "LIST", "$");
  const auto line = [&](std::string_view name, int64_t times, const Requests& requests) {
    text += fmt::format("  {:<15}{:>14}{:>15}{:>15}{:>15}{:>11.2f}\n", name, WithThousands(times),
                        WithThousands(requests.puts), WithThousands(requests.gets),
                        WithThousands(requests.lists), RequestsUsd(settings, requests));
  };
  for (size_t i = 0; i < kScaleActions; ++i) {
    const auto action = static_cast<ScaleAction>(i);
    const RequestBook::Line& of = result.book.Of(action);
    line(FactsOf(action).name, of.times, of.requests);
  }
  line("in all", 0, result.book.Sum());
  return text;
}

}  // namespace

double RequestsUsd(const ScaleSettings& settings, const Requests& requests) {
  return (static_cast<double>(requests.puts + requests.lists) * settings.put_usd +
          static_cast<double>(requests.gets) * settings.get_usd) /
         1'000;
}

double RequestsAShard(const ScaleSettings& settings, const ScaleResult& result) {
  return Share(result.book.Sum(RequestBudget::kShard).all(), settings.shards);
}

double RequestsAMinute(const ScaleResult& result) {
  return static_cast<double>(result.book.Sum(RequestBudget::kMinute).all()) /
             std::max(1.0, Minutes(result.worker_ms)) +
         WatchingAMinute(result);
}

double WatchingAMinute(const ScaleResult& result) {
  return static_cast<double>(result.book.Sum(RequestBudget::kWatch).all()) /
         std::max(1.0, Minutes(result.worker_ms));
}

std::string ScaleText(const ScaleSettings& settings, const ScaleResult& result,
                      const ScaleCost& cost) {
  const ScaleTotals& totals = result.totals;
  std::string text =
      fmt::format("{} shards on {} machines: {}\n", WithThousands(settings.shards),
                  WithThousands(settings.workers), result.done ? "DONE" : "not done");
  text += fmt::format(
      "  nothing unclaimed after {}, 99 % complete after {}, all after {}, DONE after {}, the last "
      "worker gone after {}\n",
      HumanDuration(result.claimed_ms), HumanDuration(result.nearly_ms),
      HumanDuration(result.complete_ms), HumanDuration(result.done_ms),
      HumanDuration(result.over_ms));
  text += fmt::format(
      "  {} machines in turn, {} interrupted with notice and {} without; {} shards taken over, {} "
      "backups\n",
      WithThousands(result.lives), WithThousands(result.noticed), WithThousands(result.vanished),
      WithThousands(result.takeovers), WithThousands(result.backups));
  text += fmt::format(
      "  {:.0f} worker-hours, {:.0f} of them after the last shard was complete and {:.0f} after "
      "DONE\n",
      Minutes(result.worker_ms) / 60, Minutes(result.worker_after_complete_ms) / 60,
      Minutes(result.worker_after_done_ms) / 60);
  text += fmt::format(
      "  {:.4f} % of {} records predicted in vain: {} lost, {} twice\n",
      100 * Share(totals.lost_records + totals.duplicate_records, totals.executed_records),
      WithThousands(totals.executed_records), WithThousands(totals.lost_records),
      WithThousands(totals.duplicate_records));
  text += fmt::format(
      "  requests: {:.2f} a shard (at most {}); {:.2f} a worker-minute (at most {}), {:.2f} of "
      "them "
      "to watch others; {:.0f} a start\n",
      RequestsAShard(settings, result), kShardRequests, RequestsAMinute(result), kMinuteRequests,
      WatchingAMinute(result), Share(result.book.Sum(RequestBudget::kStart).all(), result.lives));
  text += RequestTable(settings, result);
  for (size_t i = 0; i < kKeyFolders; ++i) {
    const RequestBook::Peak& peak = result.book.PeakOf(static_cast<KeyFolder>(i));
    text += fmt::format("  {:<9} in its busiest second: {} writes, {} reads\n",
                        NameOf(static_cast<KeyFolder>(i)), WithThousands(peak.most_writes),
                        WithThousands(peak.most_reads));
  }
  text += fmt::format("  a control plane at its largest: {}; all at once: {}\n",
                      HumanBytes(totals.most_plane_bytes), HumanBytes(totals.most_planes_bytes));
  text += fmt::format("  simulated in {:.0f} s with {}: {} events, {} steps of control planes\n",
                      cost.seconds, HumanBytes(cost.peak_bytes), WithThousands(result.events),
                      WithThousands(totals.steps));
  return text;
}

Json ScaleJson(const ScaleSettings& settings, const ScaleResult& result, const ScaleCost& cost) {
  const ScaleTotals& totals = result.totals;
  Json json = {{"done", result.done},
               {"requests_a_shard", RequestsAShard(settings, result)},
               {"requests_a_worker_minute", RequestsAMinute(result)},
               {"of_them_watching", WatchingAMinute(result)},
               {"requests_usd", RequestsUsd(settings, result.book.Sum())}};
  json["settings"] = {{"seed", settings.seed},
                      {"shards", settings.shards},
                      {"workers", settings.workers},
                      {"heartbeat_ms", settings.heartbeat_ms},
                      {"commit_every_ms", settings.commit_every_ms},
                      {"shard_ms", settings.shard_ms},
                      {"lanes", settings.lanes},
                      {"shard_records", settings.shard_records},
                      {"interruptions_per_kh", settings.interruptions_per_kh},
                      {"noticed_percent", settings.noticed_percent},
                      {"notice_ms", settings.notice_ms},
                      {"boot_ms", settings.boot_ms},
                      {"get_ms", settings.get_ms},
                      {"put_ms", settings.put_ms},
                      {"list_ms", settings.list_ms},
                      {"put_usd_a_thousand", settings.put_usd},
                      {"get_usd_a_thousand", settings.get_usd}};
  json["moments_ms"] = {{"nothing_unclaimed", result.claimed_ms},
                        {"complete_99_percent", result.nearly_ms},
                        {"complete", result.complete_ms},
                        {"done", result.done_ms},
                        {"last_worker_gone", result.over_ms}};
  json["worker_hours"] = {{"all", Minutes(result.worker_ms) / 60},
                          {"after_complete", Minutes(result.worker_after_complete_ms) / 60},
                          {"after_done", Minutes(result.worker_after_done_ms) / 60}};
  json["machines"] = {{"started", result.lives},
                      {"interrupted_with_notice", result.noticed},
                      {"interrupted_without", result.vanished}};
  json["shards"] = {{"taken_over", result.takeovers}, {"backed_up", result.backups}};
  json["records"] = {{"executed", totals.executed_records},
                     {"committed", result.committed_records},
                     {"lost", totals.lost_records},
                     {"duplicate", totals.duplicate_records}};
  for (size_t i = 0; i < kScaleActions; ++i) {
    const auto action = static_cast<ScaleAction>(i);
    Json& line = json["requests"][std::string(FactsOf(action).name)];
    line = ToJson(result.book.Of(action).requests);
    line["times"] = result.book.Of(action).times;
  }
  json["requests"]["in all"] = ToJson(result.book.Sum());
  for (size_t i = 0; i < kKeyFolders; ++i) {
    const RequestBook::Peak& peak = result.book.PeakOf(static_cast<KeyFolder>(i));
    json["busiest_second"][std::string(NameOf(static_cast<KeyFolder>(i)))] = {
        {"writes", peak.most_writes}, {"reads", peak.most_reads}};
  }
  json["control_plane_bytes"] = {{"largest", totals.most_plane_bytes},
                                 {"all_at_once", totals.most_planes_bytes}};
  json["simulation"] = {{"seconds", cost.seconds},
                        {"peak_bytes", cost.peak_bytes},
                        {"events", result.events},
                        {"steps", totals.steps}};
  return json;
}

}  // namespace armada
