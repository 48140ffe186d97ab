#include "cli/command.h"

namespace armada {

namespace {

CommandGroup Work() {
  return {
      "Work",
      {
          {.name = "run",
           .arguments = "JOB.yaml",
           .summary = "submit a job, work on it until it is done, report",
           .details = "Run it again after anything that stopped it: it goes on behind what is "
                      "committed.",
           .examples = "armada run job.yaml\n"
                       "armada run job.yaml --workers 4\n"
                       "armada run job.yaml --set input.uri=/data/digits --job /data/out.armada",
           .declare = DeclareRun},
          {.name = "predict",
           .arguments = "MODEL INPUT",
           .summary = "the same without a job file: it guesses, and says what",
           .details = "Each guess is printed with its reason and the option that changes it; "
                      "`--set` and the options below stand above guesses. -o FOLDER keeps the job "
                      "folder, -o FILE.parquet leaves one file. Run it again to go on.",
           .examples = "armada predict model.onnx photos/\n"
                       "armada predict model.onnx photos/ -o scores.parquet --labels labels.txt\n"
                       "armada predict model.onnx photos.tar --preset keras-torch --top-k 5",
           .declare = DeclarePredict},
          {.name = "submit",
           .arguments = "JOB.yaml",
           .summary = "publish a job without working on it",
           .details = "Workers are started with `armada work`, here or wherever the job folder "
                      "is reachable.",
           .examples = "armada submit job.yaml --explain\n"
                       "armada submit job.yaml",
           .declare = DeclareSubmit},
          {.name = "work",
           .arguments = "JOB",
           .summary = "be one worker of a job, until it is done",
           .details = "On SIGTERM it commits what it has done and leaves (exit code 130). When the "
                      "job is done, cancelled or paused it parks: it lets the model go and waits, "
                      "since a service would start again what ends. A paused job's workers go on "
                      "when it is resumed.",
           .examples = "armada work digits.armada\n"
                       "armada work digits.armada --exit-when-done\n"
                       "armada work digits.armada --index 0 --of 4",
           .declare = DeclareWork},
      }};
}

CommandGroup Steer() {
  return {
      "Steer",
      {
          {.name = "pause",
           .arguments = "JOB",
           .summary = "have all workers of a job commit what they have, and leave",
           .details = {},
           .examples = "armada pause digits.armada --reason 'the disk is nearly full'",
           .declare = DeclarePause},
          {.name = "resume",
           .arguments = "JOB",
           .summary = "lift a job's pause",
           .details = {},
           .examples = "armada resume digits.armada --max-dead 5%",
           .declare = DeclareResume},
          {.name = "set",
           .arguments = "JOB KEY=VALUE...",
           .summary = "change a limit of a job under way",
           .details = "Only keys that are no part of what the job is; the others make another job.",
           .examples = "armada set digits.armada limits.max_dead=5%",
           .declare = DeclareSet},
          {.name = "cancel",
           .arguments = "JOB",
           .summary = "end a job for good; what is committed stays",
           .details = {},
           .examples = "armada cancel digits.armada --reason 'the wrong model'",
           .declare = DeclareCancel},
          {.name = "tidy",
           .arguments = "JOB",
           .summary = "remove what a finished job's results do without: leases and leavings",
           .details = {},
           .examples = "armada tidy digits.armada --dry-run",
           .declare = DeclareTidy},
          {.name = "delete",
           .arguments = "JOB",
           .summary = "remove a finished or cancelled job, results and all",
           .details = "Files in its folder that are not the job's stay. Killed half-way, run it "
                      "again.",
           .examples = "armada delete digits.armada --dry-run\n"
                       "armada delete digits.armada --yes",
           .declare = DeclareDelete},
      }};
}

CommandGroup Look() {
  return {
      "Look",
      {
          {.name = "status",
           .arguments = "JOB",
           .summary = "how far a job is",
           .details = {},
           .examples = "armada status digits.armada\n"
                       "armada status digits.armada --json",
           .declare = DeclareStatus},
          {.name = "report",
           .arguments = "JOB",
           .summary = "what there is, what it took, how right it is",
           .details = {},
           .examples = "armada report digits.armada\n"
                       "armada report digits.armada --price-per-hour 0.34",
           .declare = DeclareReport},
          {.name = "errors",
           .arguments = "JOB",
           .summary = "the records that could not be predicted, and why",
           .details = {},
           .examples = "armada errors digits.armada --limit 100",
           .declare = DeclareErrors},
          {.name = "logs",
           .arguments = "JOB",
           .summary = "what the workers wrote down, merged by time",
           .details = "Workers store what they wrote once a minute, and when they leave.",
           .examples = "armada logs digits.armada --level warn\n"
                       "armada logs digits.armada --follow --since 10m",
           .declare = DeclareLogs},
          {.name = "verify",
           .arguments = "JOB",
           .summary = "prove that every record has exactly one answer",
           .details = "Reads the job folder from scratch. Exit code 1 when something is missing "
                      "or wrong.",
           .examples = "armada verify digits.armada\n"
                       "armada verify digits.armada --deep",
           .declare = DeclareVerify},
      }};
}

CommandGroup Prepare() {
  return {"Prepare",
          {
              {.name = "bench",
               .arguments = "MODEL INPUT",
               .summary = "this machine's rate, stage by stage, on your model and data",
               .details = {},
               .examples = "armada bench model.onnx images/\n"
                           "armada bench model.onnx rows.parquet --price-per-hour 0.34",
               .declare = DeclareBench},
              {.name = "doctor",
               .arguments = "[MODEL|JOB]",
               .summary = "what Armada sees: this machine, a model, or a job's folder",
               .details = {},
               .examples = "armada doctor\n"
                           "armada doctor model.onnx\n"
                           "armada doctor digits.armada",
               .declare = DeclareDoctor},
              {.name = "version",
               .arguments = {},
               .summary = "versions of Armada and its engines",
               .details = {},
               .examples = "armada version --json",
               .declare = DeclareVersion},
          }};
}

}  // namespace

std::span<const CommandGroup> CommandGroups() {
  static const std::vector<CommandGroup> groups = {Work(), Steer(), Look(), Prepare()};
  return groups;
}

}  // namespace armada
