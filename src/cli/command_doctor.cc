#include <charconv>
#include <memory>

#include "base/id.h"
#include "base/text.h"
#include "cli/checks.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "engine/engine.h"
#include "engine/model_format.h"
#include "engine/precision.h"
#include "engine/smoke.h"
#include "ledger/control.h"
#include "ledger/job.h"
#include "ledger/names.h"
#include "ledger/plan.h"
#include "platform/clock.h"
#include "platform/entropy.h"
#include "platform/env.h"
#include "platform/file.h"
#include "store/probe.h"

namespace armada {
namespace {

struct DoctorOptions {
  std::string subject;
  bool json = false;
};

// A model of one ReLU, for a machine without a model at hand.
constexpr std::string_view kTinyModel = R"(<?xml version="1.0"?>
<net name="tiny" version="11"><layers>
<layer id="0" name="x" type="Parameter" version="opset1"><data shape="?,8" element_type="f32"/>
<output><port id="0" precision="FP32" names="x"><dim>-1</dim><dim>8</dim></port></output></layer>
<layer id="1" name="y" type="ReLU" version="opset1">
<input><port id="0" precision="FP32"><dim>-1</dim><dim>8</dim></port></input>
<output><port id="1" precision="FP32" names="y"><dim>-1</dim><dim>8</dim></port></output></layer>
<layer id="2" name="out" type="Result" version="opset1">
<input><port id="0" precision="FP32"><dim>-1</dim><dim>8</dim></port></input></layer>
</layers><edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>
<edge from-layer="1" from-port="1" to-layer="2" to-port="0"/></edges></net>
)";

// "MemTotal" of /proc/meminfo, in bytes; 0 when it is not there.
int64_t MemInfo(std::string_view key) {
  const Result<std::string> text = ReadFile("/proc/meminfo");
  const size_t at = text ? text->find(key) : std::string::npos;
  if (at == std::string::npos) return 0;
  const size_t digits = text->find_first_of("0123456789", at);
  int64_t kib = 0;
  if (digits != std::string::npos)
    std::from_chars(text->data() + digits, text->data() + text->size(), kib);
  return kib * 1024;
}

Status SmokeTestTinyModel(Precision precision) {
  Random random = EntropyRandom();
  const std::string folder = TempFolder() + "/armada-doctor-" + Id::Draw(random).ToString();
  const std::string model = folder + "/tiny.xml";
  Status status = ReplaceFile(model, kTinyModel);
  if (status) status = ReplaceFile(folder + "/tiny.bin", "");
  SmokeOptions smoke;
  smoke.cache_folder = folder;
  ModelOptions options;
  options.precision = precision;
  options.max_batch = 4;
  if (status) status = SmokeTest("openvino", model, options, smoke);
  (void)RemoveTree(folder);
  return status;
}

Status ExamineMachine(Checks& checks) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine, NewEngine("openvino"));
  checks.Fact("cpu", fmt::format("{}, {} core{} for Armada, {} bf16", CpuModelName(), UsableCores(),
                                 UsableCores() == 1 ? "" : "s", CpuHasBf16() ? "with" : "without"));
  checks.Fact("memory", fmt::format("{}, {} available", HumanBytes(MemInfo("MemTotal")),
                                    HumanBytes(MemInfo("MemAvailable"))));
  checks.Fact("engine", engine->version());
  ASSIGN_OR_RETURN(const Precision precision, ResolvePrecision(*engine, "auto"));
  checks.Fact("precision", fmt::format("auto is {} here", PrecisionName(precision)));
  checks.Check("smoke", SmokeTestTinyModel(precision), "a tiny model runs in a child process");
  return {};
}

Status ExamineModel(const std::string& path, Checks& checks) {
  const std::string engine_name(EngineNameFor(path));
  ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine, NewEngine(engine_name));
  std::string format = "fake, for tests";
  if (engine_name == "openvino") {
    ASSIGN_OR_RETURN(const ModelFormat detected, DetectModelFormat(path));
    format = ModelFormatName(detected);
  }
  checks.Fact("model", fmt::format("{} ({})", path, format));
  ASSIGN_OR_RETURN(const Signature signature, engine->Inspect(path));
  for (const TensorSpec& input : signature.inputs) checks.Fact("input", input.ToString());
  for (const TensorSpec& output : signature.outputs) checks.Fact("output", output.ToString());
  checks.Fact("batch", signature.batch < 0 ? "any size" : std::to_string(signature.batch));
  checks.Fact("engine", engine->version());
  ASSIGN_OR_RETURN(const Precision precision, ResolvePrecision(*engine, "auto"));
  checks.Fact("precision", fmt::format("auto is {} here", PrecisionName(precision)));
  ModelOptions options;
  options.precision = precision;
  if (!signature.inputs.empty()) options.transform.fed = signature.inputs[0].type;
  const int64_t begin_ms = BootMs();
  const Status smoke = SmokeTest(engine_name, path, options);
  checks.Check("smoke", smoke,
               fmt::format("runs in a child process ({})", HumanDuration(BootMs() - begin_ms)));
  return {};
}

Status CheckProbe(ObjectStore& store) {
  Random random = EntropyRandom();
  ASSIGN_OR_RETURN(const ProbeResult probe, ProbeStore(store, Id::Draw(random).ToString()));
  if (probe.ok) return {};
  return FailWith(ErrorCode::kInvalid, probe.failure, "put the job into another folder");
}

Status ExamineJob(const std::string& uri, Checks& checks) {
  ASSIGN_OR_RETURN(Job job, OpenJob(uri));
  const JobRecord& record = job.record;
  checks.Fact("job", fmt::format("{} in {}, submitted {} by Armada {}", record.spec.name,
                                 job.store->name(), record.created_utc, record.armada_version));
  checks.Check("store", CheckProbe(*job.store), "creates an object once, whoever races");
  const std::string cache = TempFolder() + "/armada-doctor-" + record.job_id;
  const Result<std::string> model = FetchModel(*job.store, record, cache);
  checks.Check("model", model ? Status() : std::unexpected(model.error()),
               fmt::format("{}, sha256 as submitted", record.model_main));
  (void)RemoveTree(cache);
  const Result<std::unique_ptr<Plan>> plan = Plan::Open(*job.store, record.job_id);
  checks.Check("plan", plan ? Status() : std::unexpected(plan.error()),
               plan
                   ? fmt::format("{} shards of {} files{}", WithThousands((*plan)->totals().shards),
                                 WithThousands((*plan)->totals().files),
                                 (*plan)->totals().finished ? "" : ", so far")
                   : "");
  InputSpec input = record.input;
  const Result<std::unique_ptr<Source>> source = OpenSource(&input);
  checks.Check("input", source ? Status() : std::unexpected(source.error()),
               record.input.uri + " can be read");
  ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine, NewEngine(record.engine));
  const Result<Precision> precision = ResolvePrecision(*engine, PrecisionName(record.precision));
  checks.Check("engine", precision ? Status() : std::unexpected(precision.error()),
               fmt::format("{}, {}; submitted with {}", engine->version(),
                           PrecisionName(record.precision), record.engine_version));
  const Result<ControlState> control = ReadControl(*job.store);
  Status state = control ? Status() : std::unexpected(control.error());
  if (control) state = CheckNotCancelled(*control, job.store->name());
  if (state && control && control->paused)
    state = FailWith(ErrorCode::kLimit, "paused: " + control->pause.reason,
                     fmt::format("armada resume {}", job.store->name()));
  checks.Check("control", state, "neither paused nor cancelled");
  return {};
}

int Doctor(const DoctorOptions& options) {
  Checks checks;
  Status status;
  const bool job =
      options.subject.contains("://") || IsFile(fmt::format("{}/{}", options.subject, kJobKey));
  if (options.subject.empty())
    status = ExamineMachine(checks);
  else if (job)
    status = ExamineJob(options.subject, checks);
  else
    status = ExamineModel(options.subject, checks);
  if (!options.json) Print(checks.Render());
  if (!status) return Failed(status.error(), options.json);
  if (options.json) PrintJson(checks.ToJson());
  if (checks.ok()) return kExitDone;
  return job ? kExitFailed : kExitBadInput;
}

}  // namespace

std::function<int()> DeclareDoctor(CLI::App& app) {
  const auto options = std::make_shared<DoctorOptions>();
  app.add_option("SUBJECT", options->subject, "a model or a job's folder")->type_name("");
  AddEndpointOption(app);
  AddJsonOption(app, &options->json);
  return [options] { return Doctor(*options); };
}

}  // namespace armada
