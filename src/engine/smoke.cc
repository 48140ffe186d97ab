#include "engine/smoke.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/json.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/text.h"
#include "engine/model_format.h"
#include "platform/env.h"
#include "platform/file.h"
#include "platform/process.h"

namespace armada {
namespace {

constexpr int64_t kMaxRows = 16;
constexpr double kTolerance = 1e-4;
constexpr int kExitError = 3;
constexpr std::string_view kKeyVersion = "2";  // change it when the test itself changes

Json OptionsToJson(std::string_view engine, const std::string& path, const ModelOptions& options) {
  return {{"engine", engine},
          {"model", path},
          {"precision", PrecisionName(options.precision)},
          {"fed", ElementTypeName(options.transform.fed)},
          {"planes", options.transform.planes},
          {"rescale", options.transform.rescale},
          {"mean", options.transform.mean},
          {"std", options.transform.stddev},
          {"record_shape", options.record_shape},
          {"max_batch", std::min(options.max_batch, kMaxRows)}};
}

ModelOptions OptionsFromJson(const Json& json) {
  ModelOptions options;
  options.precision = json.at("precision") == "bf16" ? Precision::kBf16 : Precision::kF32;
  for (const ElementType type : {ElementType::kU8, ElementType::kI32, ElementType::kI64}) {
    if (json.at("fed") == ElementTypeName(type)) options.transform.fed = type;
  }
  options.transform.planes = json.at("planes").get<bool>();
  options.transform.rescale = json.at("rescale").get<double>();
  options.transform.mean = json.at("mean").get<std::vector<double>>();
  options.transform.stddev = json.at("std").get<std::vector<double>>();
  options.record_shape = json.at("record_shape").get<std::vector<int64_t>>();
  options.max_batch = json.at("max_batch").get<int64_t>();
  return options;
}

// Pixels for u8, 0 and 1 for whole numbers (they may be indices into tables of any size), numbers
// in [0, 1) else.
std::vector<std::byte> MadeUpRecords(ElementType type, int64_t elements) {
  const size_t width = static_cast<size_t>(ElementBytes(type));
  std::vector<std::byte> bytes(static_cast<size_t>(elements) * width);
  Random random(1);
  for (size_t at = 0; at < bytes.size(); at += width) {
    const uint64_t bits = random.Next();
    const uint64_t bit = bits >> 63;
    const float unit = static_cast<float>(bits >> 40) / (1 << 24);
    if (type == ElementType::kU8) {
      bytes[at] = static_cast<std::byte>(bits >> 56);
    } else if (type == ElementType::kF32) {
      std::memcpy(&bytes[at], &unit, width);
    } else {
      std::memcpy(&bytes[at], &bit, width);  // little-endian: the low bytes first
    }
  }
  return bytes;
}

bool Close(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= kTolerance * std::max(1.0f, std::abs(a));
}

Status RunModel(const Json& json) {
  const std::string path = json.at("model").get<std::string>();
  const ModelOptions options = OptionsFromJson(json);
  ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine,
                   NewEngine(json.at("engine").get<std::string>()));
  ASSIGN_OR_RETURN(const std::shared_ptr<Model> model, engine->Open(path, options));
  ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, model->NewStream());
  const Signature& signature = model->signature();
  const int64_t rows = options.max_batch;
  const std::vector<std::byte> input =
      MadeUpRecords(options.transform.fed, rows * signature.inputs[0].elements());
  std::vector<std::span<const float>> outputs(signature.outputs.size());
  RETURN_IF_ERROR(stream->Run(input, rows, outputs));
  std::vector<std::vector<float>> together;
  for (const std::span<const float> output : outputs) {
    together.emplace_back(output.begin(), output.end());
  }
  // The last record alone must give what it gave among the others.
  RETURN_IF_ERROR(
      stream->Run(std::span(input).last(input.size() / static_cast<size_t>(rows)), 1, outputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::span<const float> last = std::span(together[i]).last(outputs[i].size());
    if (!std::ranges::equal(last, outputs[i], Close)) {
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: output {} of a record depends on the other records in its "
                                  "batch",
                                  path, signature.outputs[i].name),
                      "export the model for inference: no operation may mix records");
    }
  }
  return {};
}

std::string CacheFolder(const SmokeOptions& smoke) {
  if (smoke.cache_folder) return *smoke.cache_folder;
  const std::optional<std::string> xdg = GetEnv("XDG_CACHE_HOME");
  if (xdg && xdg->starts_with('/')) return *xdg + "/armada/smoke";
  const std::optional<std::string> home = GetEnv("HOME");
  return home && !home->empty() ? *home + "/.cache/armada/smoke" : "";
}

// The file that says that this very test has passed on this kind of CPU, or "".
Result<std::string> VerdictFile(const Json& json, const SmokeOptions& smoke) {
  const std::string folder = CacheFolder(smoke);
  if (folder.empty()) return "";
  ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine,
                   NewEngine(json.at("engine").get<std::string>()));
  std::string model = smoke.model_sha256;
  if (model.empty()) {
    ASSIGN_OR_RETURN(model, HashModel(json.at("model").get<std::string>()));
  }
  Json key = json;
  key["model"] = model;
  key["engine"] = engine->version();
  key["cpu"] = CpuModelName();
  key["version"] = kKeyVersion;
  return folder + "/" + Sha256Hex(key.dump());
}

Status Verdict(const Child& child, const ExitState& state, const Json& json) {
  if (state.ok()) return {};
  const std::string path = json.at("model").get<std::string>();
  if (state.signal == SIGKILL) {
    return FailWith(ErrorCode::kLimit,
                    fmt::format("{}: the smoke test was killed, as the system does when memory is "
                                "short",
                                path),
                    "use a machine with more memory, or a smaller model");
  }
  if (state.signal != 0) {
    return FailWith(
        ErrorCode::kInvalid,
        fmt::format("{}: the engine \"{}\" died in its smoke test ({}) on this CPU ({})", path,
                    json.at("engine").get<std::string>(), state.ToString(), CpuModelName()),
        "use another instance type, or export the model anew (opset 13 to 17 for ONNX); some "
        "OpenVINO builds die like this on some virtual machines");
  }
  const auto reply = ParseJson(child.captured_stdout(), "the smoke test's reply");
  if (!reply || !reply->is_object() || !reply->contains("message")) {
    return Fail(ErrorCode::kInternal, "{}: the smoke test ended with {} and said \"{}\"", path,
                state.ToString(), Printable(child.captured_stderr()));
  }
  return std::unexpected(Error{static_cast<ErrorCode>(reply->value("code", 10)),
                               reply->value("message", ""), reply->value("remedy", "")});
}

}  // namespace

Status SmokeTest(std::string_view engine, const std::string& model_path,
                 const ModelOptions& options, const SmokeOptions& smoke) {
  const Json json = OptionsToJson(engine, AbsolutePath(model_path), options);
  const std::string verdict = VerdictFile(json, smoke).value_or("");
  if (!verdict.empty() && IsFile(verdict)) return {};
  std::vector<std::string> command = smoke.command;
  if (command.empty()) {
    ASSIGN_OR_RETURN(const std::string self, SelfPath());
    command = {self, "engine-smoke"};
  }
  command.push_back(json.dump());
  SpawnOptions spawn;
  spawn.capture_stdout = true;
  spawn.capture_stderr = true;
  ASSIGN_OR_RETURN(Child child, Child::Spawn(command, spawn));
  const std::optional<ExitState> state = child.Wait(smoke.timeout_ms);
  if (!state) {
    return Fail(ErrorCode::kInvalid, "{}: its smoke test did not end within {}", model_path,
                HumanDuration(smoke.timeout_ms));
  }
  RETURN_IF_ERROR(Verdict(child, *state, json));
  if (!verdict.empty()) (void)CreateFileIfAbsent(verdict, json.dump(2) + "\n");
  return {};
}

int SmokeTestMain(std::span<const std::string> args) {
  if (args.size() != 1) return kExitError;
  const auto json = ParseJson(args[0], "engine-smoke");
  if (!json || !json->is_object() || !json->contains("max_batch")) return kExitError;
  const Status status = RunModel(*json);
  if (status) return 0;
  const Error& error = status.error();
  const Json reply = {
      {"code", static_cast<int>(error.code)}, {"message", error.message}, {"remedy", error.remedy}};
  std::printf("%s\n", reply.dump().c_str());
  return kExitError;
}

}  // namespace armada
