#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/run_to_end.h"
#include "cli/terminal.h"
#include "ledger/guess.h"
#include "platform/file.h"

namespace armada {
namespace {

constexpr std::string_view kOneFile = ".parquet";

struct PredictOptions {
  std::string model;
  std::string input;
  std::string output;
  std::string preset;
  std::string labels;
  int64_t top_k = -1;
  std::vector<std::string> overrides;
  RunSettings settings;
};

std::string LastPart(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path.substr(path.rfind('/') + 1);
}

// "photos/" → "photos", "rows.tar.gz" → "rows"; "predict" where nothing else is left.
std::string NameOf(const std::string& input) {
  std::string name = LastPart(input);
  name = name.substr(0, name.find('.', 1));
  std::erase_if(name, [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-');
  });
  return name.empty() || name.starts_with('-') ? "predict" : name.substr(0, 60);
}

// The user's own keys, as --set takes them.
std::vector<std::string> OwnKeys(const PredictOptions& options) {
  std::vector<std::string> keys;
  if (!options.preset.empty()) keys.push_back("preprocess.preset=" + options.preset);
  if (!options.labels.empty()) keys.push_back("postprocess.labels=" + options.labels);
  if (options.top_k >= 0) keys.push_back(fmt::format("postprocess.top_k={}", options.top_k));
  // Names need ranks.
  if (!options.labels.empty() && options.top_k < 0) keys.emplace_back("postprocess.top_k=1");
  keys.insert(keys.end(), options.overrides.begin(), options.overrides.end());
  return keys;
}

void PrintGuesses(const std::vector<GuessedKey>& guesses) {
  if (guesses.empty()) return;
  Note("guessed, as nothing else was said:");
  for (const GuessedKey& guess : guesses)
    Note(
        fmt::format("  --set {}={}   {}", guess.key, Printable(guess.value), Printable(guess.why)));
  Note("A wrong guess gives plausible wrong answers: hold some of them against your own code's.");
}

Result<JobSpec> MakeSpec(const PredictOptions& options, const std::string& job) {
  const std::string model = AbsolutePath(options.model);
  const std::string input = PlaceOf(options.input);
  std::vector<std::string> keys = OwnKeys(options);
  const auto is_given = [&keys](std::string_view key) {
    return std::ranges::any_of(keys, [&](const std::string& set) {
      return set.starts_with(key) && set.substr(key.size()).starts_with('=');
    });
  };
  ASSIGN_OR_RETURN(const std::vector<GuessedKey> guesses, GuessKeys(model, input, is_given));
  if (options.settings.fork.restarts == 0) PrintGuesses(guesses);
  std::vector<std::string> all;
  for (const GuessedKey& guess : guesses) all.push_back(guess.key + "=" + guess.value);
  all.insert(all.end(), keys.begin(), keys.end());
  const Json file{{"name", NameOf(options.input)},
                  {"job", AbsolutePath(job)},
                  {"model", {{"path", model}}},
                  {"input", {{"uri", input}}}};
  return ParseJobSpec(file.dump(), "predict", "/", all);
}

int Predict(PredictOptions options) {
  std::string job = options.output.empty() ? NameOf(options.input) + ".armada" : options.output;
  if (job.ends_with(kOneFile)) {
    options.settings.merge_into = AbsolutePath(job);
    if (IsFile(job) || IsFolder(job))
      return Failed({ErrorCode::kInvalid, fmt::format("{} is there already", Printable(job)),
                     "remove it, or choose another name with -o"},
                    options.settings.json);
    const std::string name = LastPart(job);
    job = job.substr(0, job.size() - name.size()) + "." + name + ".armada";
  }
  // Guessing opens the model.
  if (options.settings.workers <= 1)
    if (const auto code = Supervise(options.settings.json, &options.settings.fork)) return *code;
  const Result<JobSpec> spec = MakeSpec(options, job);
  if (!spec) return Failed(spec.error(), options.settings.json);
  return RunToEnd(*spec, options.settings);
}

}  // namespace

std::function<int()> DeclarePredict(CLI::App& app) {
  const auto options = std::make_shared<PredictOptions>();
  app.add_option("MODEL", options->model, "the model")->required()->type_name("");
  app.add_option("INPUT", options->input, "a file, folder, glob or s3://bucket/prefix/")
      ->required()
      ->type_name("");
  app.add_option("-o,--output", options->output,
                 "a job folder, or FILE.parquet (default: INPUT's name with .armada)")
      ->type_name("OUT");
  app.add_option("--preset", options->preset, "how pictures are preprocessed: preprocess.preset")
      ->type_name("NAME");
  app.add_option("--labels", options->labels, "a file with a class name a line")->type_name("FILE");
  app.add_option("--top-k", options->top_k, "the best classes; 0: the model's outputs as they are")
      ->type_name("K")
      ->check(CLI::Range(0, 1000));
  AddEndpointOption(app);
  AddSetOption(app, &options->overrides, "any key of a job file; may be repeated");
  AddRunSettings(app, &options->settings);
  return [options] { return Predict(*options); };
}

}  // namespace armada
