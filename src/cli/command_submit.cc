#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "platform/clock.h"
#include "report/status.h"

namespace armada {
namespace {

struct SubmitArguments {
  JobFileOptions file;
  bool explain = false;
  bool json = false;
};

// "plan.shard_records" → its value in the nested JSON of a spec.
Json ValueAt(const Json& spec, std::string_view path) {
  const Json* at = &spec;
  for (const std::string_view part : Split(path, '.')) {
    const auto found = at->find(std::string(part));
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return *at;
}

std::string ValueText(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>().empty() ? "-" : value.get<std::string>();
  if (value.is_array() && value.empty()) return "-";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Tensors(const std::vector<TensorSpec>& tensors) {
  std::string text;
  for (const TensorSpec& tensor : tensors)
    text += (text.empty() ? "" : ", ") + Printable(tensor.ToString());
  return text;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + Printable(word);
  return text;
}

std::string ExplainText(const JobRecord& record) {
  std::string text = "The job file, with every default:\n";
  const Json spec = record.spec.ToJson();
  for (const SpecKey& key : SpecKeys())
    text += fmt::format("  {:<20} {}\n", key.path, Printable(ValueText(ValueAt(spec, key.path))));
  const auto line = [&text](std::string_view label, std::string_view value) {
    text += fmt::format("  {:<20} {}\n", label, value);
  };
  text += "\nWhat they come to here:\n";
  int64_t model_bytes = 0;
  for (const ModelFile& file : record.model_files) model_bytes += file.size_bytes;
  line("model", fmt::format("{}, {}, sha256 {}…", Printable(record.model_main),
                            HumanBytes(model_bytes), record.model_sha256.substr(0, 12)));
  line("engine", record.engine_version);
  line("precision", PrecisionName(record.precision));
  if (record.agreement) line("agreement with f32", record.agreement->ToString());
  line("model's input", Tensors(record.signature.inputs));
  line("model's outputs", Tensors(record.signature.outputs));
  line("input format", record.input.format);
  if (record.decode_agreement)
    line("fast decoding", "beside exact, on the first " + record.decode_agreement->ToString());
  if (record.parity) line("parity", record.parity->agreement.ToString());
  line("fed as", ElementTypeName(record.transform.fed));
  if (!record.input.columns.empty()) line("feature columns", Joined(record.input.columns));
  line("output columns", Joined(record.schema.ColumnNames()));
  line("records a shard", fmt::format("at most {}", WithThousands(record.shard_records)));
  return text + "\nNothing was written.\n";
}

int Explain(const JobSpec& spec, bool json) {
  const Result<JobRecord> record = Resolve(spec, {.smoke_test = true});
  if (!record) return Failed(record.error(), json);
  if (json)
    PrintJson(record->ToJson());
  else
    Print(ExplainText(*record));
  return kExitDone;
}

int SubmitJob(const SubmitArguments& options) {
  const Result<JobSpec> spec = LoadJobFile(options.file);
  if (!spec) return Failed(spec.error(), options.json);
  if (options.explain) return Explain(*spec, options.json);
  bool created = false;
  Result<Job> job = Submit(*spec, &created, {.smoke_test = true});
  if (!job) return Failed(job.error(), options.json);
  const Result<JobStatus> status = ReadStatus(*job, WallMs());
  if (!status) return Failed(status.error(), options.json);
  if (options.json) {
    Json json = status->ToJson();
    json["created"] = created;
    PrintJson(json);
  } else {
    const std::string folder = Printable(job->store->name());
    Print(fmt::format(
        "{}: {}\n{}\nwork on it with: armada work {} --exit-when-done\n",
        created ? "submitted" : "there already", folder,
        status->records_total < 0
            ? fmt::format("{} shards", WithThousands(status->shards))
            : fmt::format("{} records in {} shards", WithThousands(status->records_total),
                          WithThousands(status->shards)),
        folder));
  }
  return kExitDone;
}

}  // namespace

std::function<int()> DeclareSubmit(CLI::App& app) {
  const auto options = std::make_shared<SubmitArguments>();
  AddJobFileOptions(app, &options->file);
  app.add_flag("--explain", options->explain,
               "print every default and what it comes to; write nothing");
  AddJsonOption(app, &options->json);
  return [options] { return SubmitJob(*options); };
}

}  // namespace armada
