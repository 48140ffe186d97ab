#include <algorithm>
#include <memory>
#include <optional>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/stage_bench.h"
#include "cli/terminal.h"
#include "platform/env.h"
#include "platform/file.h"

namespace armada {
namespace {

struct BenchOptions {
  std::string model;
  std::string input;
  std::vector<std::string> overrides;
  double price = -1;
  bool json = false;
};

struct BenchResult {
  std::string engine;
  std::string precision;
  int64_t records = 0;
  int64_t lanes = 1;
  std::vector<StageRate> rates;
  double all_per_s = 0;  // what all lanes come to together, computed from the stages
};

Result<BenchResult> Measure(const BenchOptions& options) {
  const Json file{{"name", "bench"},
                  {"model", {{"path", AbsolutePath(options.model)}}},
                  {"input", {{"uri", PlaceOf(options.input)}}}};
  ASSIGN_OR_RETURN(const JobSpec spec, ParseJobSpec(file.dump(), "bench", "/", options.overrides));
  ASSIGN_OR_RETURN(JobRecord record, Resolve(spec));
  record.schema.kept.clear();  // copying columns is no stage of its own
  BenchResult result;
  result.engine = record.engine_version;
  result.precision = PrecisionName(record.precision);
  result.lanes = UsableCores();
  StageBench bench(std::move(record));
  RETURN_IF_ERROR(bench.Prepare());
  result.records = bench.records();
  result.rates.push_back(bench.Read());
  double decode_seconds = 0;
  if (const std::optional<StageRate> decode = bench.DecodeRate()) {
    result.rates.push_back(*decode);
    decode_seconds = 1 / decode->rate_per_s;
  }
  StageRate best;
  for (const int64_t batch : bench.BatchSizes()) {
    ASSIGN_OR_RETURN(const StageRate rate, bench.Infer(batch, 1));
    result.rates.push_back(rate);
    if (rate.rate_per_s > best.rate_per_s) best = rate;
  }
  StageRate all_lanes = best;
  if (result.lanes > 1) {
    ASSIGN_OR_RETURN(all_lanes, bench.Infer(best.batch, result.lanes));
    result.rates.push_back(all_lanes);
  }
  ASSIGN_OR_RETURN(const StageRate encode, bench.Encode());
  result.rates.push_back(encode);
  // A lane does a record's stages one after the other; the engine's share is as with all at work.
  const double lanes = static_cast<double>(result.lanes);
  const double lane_seconds = 1 / bench.Read().rate_per_s + decode_seconds +
                              lanes / all_lanes.rate_per_s + 1 / encode.rate_per_s;
  result.all_per_s = lanes / lane_seconds;
  return result;
}

std::optional<double> UsdPerMillion(const BenchResult& result, double price) {
  if (price < 0 || result.all_per_s <= 0) return std::nullopt;
  return price / 3600 / result.all_per_s * 1e6;
}

std::string BenchText(const BenchResult& result, double price) {
  std::string text = fmt::format("{}, {}; {} of your records\n\n{:<8} {:>7} {:>6} {:>14}\n",
                                 result.engine, result.precision, WithThousands(result.records),
                                 "stage", "batch", "lanes", "records");
  for (const StageRate& rate : result.rates)
    text += fmt::format("{:<8} {:>7} {:>6} {:>14}\n", rate.stage,
                        rate.batch > 0 ? WithThousands(rate.batch) : "", rate.lanes,
                        HumanRate(rate.rate_per_s));
  text += fmt::format("{:<8} {:>7} {:>6} {:>14}  computed from the stages\n", "all", "",
                      result.lanes, HumanRate(result.all_per_s));
  if (const std::optional<double> usd = UsdPerMillion(result, price))
    text += fmt::format("\n${:.4f} per million records, at ${:g} an hour, start not counted\n",
                        *usd, price);
  return text;
}

Json BenchJson(const BenchResult& result, double price) {
  Json list = Json::array();
  for (const StageRate& rate : result.rates)
    list.push_back(Json{{"stage", rate.stage},
                        {"batch", rate.batch},
                        {"lanes", rate.lanes},
                        {"rate_per_s", rate.rate_per_s}});
  Json json{{"engine", result.engine},
            {"precision", result.precision},
            {"records", result.records},
            {"lanes", result.lanes},
            {"stages", list},
            {"all_per_s", result.all_per_s}};
  if (const std::optional<double> usd = UsdPerMillion(result, price))
    json["usd_per_million"] = *usd;
  return json;
}

int Bench(const BenchOptions& options) {
  const Result<BenchResult> result = Measure(options);
  if (!result) return Failed(result.error(), options.json);
  if (options.json)
    PrintJson(BenchJson(*result, options.price));
  else
    Print(BenchText(*result, options.price));
  return kExitDone;
}

}  // namespace

std::function<int()> DeclareBench(CLI::App& app) {
  const auto options = std::make_shared<BenchOptions>();
  app.add_option("MODEL", options->model, "the model")->required()->type_name("");
  app.add_option("INPUT", options->input, "a file, folder or prefix of records")
      ->required()
      ->type_name("");
  AddEndpointOption(app);
  AddSetOption(app, &options->overrides, "a key as in a job file, such as preprocess.rescale");
  AddPriceOption(app, &options->price);
  AddJsonOption(app, &options->json);
  return [options] { return Bench(*options); };
}

}  // namespace armada
