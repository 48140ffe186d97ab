// SpecKeys and docs/job-file.md: the key table, for people.
#include "ledger/job_spec.h"
#include "ledger/spec_table.h"

namespace armada {
namespace {

constexpr std::string_view kIntroduction =
    R"(<!-- Generated from the key table in src/ledger/spec_table.cc: edit that, then run
     ARMADA_UPDATE_DOCS=1 ledger_test --gtest_filter='JobFileDoc.*' -->
# The job file

A job is described by one file, in YAML or in JSON (a subset of YAML). Two keys are required; all
others have defaults, which `armada submit --explain` prints:

```yaml
model: {path: digits.onnx}
input: {uri: digits/}
```
)";

constexpr std::string_view kExample = R"(
## A complete example

```yaml
name: digits
job: ./digits.armada
model:
  path: model.onnx
  engine: auto
  precision: auto
input:
  uri: mnist/
  format: idx
preprocess:
  rescale: 1/255            # y = (x · rescale − mean) / std
  mean: 0.1307
  std: 0.3081
parity:
  expected: sample.parquet  # what your own code predicts: parity.md
  max_diff: 1e-3
  top1: 99.9%
postprocess:
  top_k: 1
  softmax: auto
evaluate:
  labels: auto              # …-labels-idx1… beside …-images-idx3…
limits:
  max_dead: 1%
plan:
  shard_records: auto
  commit_every: 5m
  heartbeat: 60s
  part_shards: 100000
  batch: auto
fleet:
  on: local
  workers: 2
```
)";

constexpr std::string_view kNotes = R"(
## Rules

- **Paths.** Relative paths in the file begin in the file's folder; `job`, and paths given with
  `--set`, begin in the current folder. Anything with `://` in it is a URI and stays as it is.
  Neither `~` nor `${…}` is filled in.
- **`--set key=value`** overrides any key: `--set plan.shard_records=500`. A value that begins with
  `[`, `{` or a quote is read as YAML (`--set 'preprocess.mean=[0.5, 0.4, 0.3]'`); any other is
  taken as it is.
- **Identity.** A job folder belongs to one job. Running again with another value of a key marked
  "identity" is another job and is refused; the other keys may change.
- **Lists.** One value stands for a list of one: `mean: 0.5`, `keep: label`. No text may be listed
  twice.
- **Numbers** may be fractions: `1/255`. Whole numbers are written without separators: `1000000`.
- **Durations** are a whole number and a unit: `250ms`, `90s`, `5m`, `72h`, `3d`.
- **Shares** are `1%` or `0.01`, in steps of one in a million.
- **Quotes** make no difference to a value: `no`, `on` and `007` are what they look like.
- **Mistakes**: unknown and repeated keys are errors, as are values of the wrong type. Up to 20 are
  reported at once, each with its line and column.
- **Not supported**: YAML anchors, aliases and tags, more than one document, files above 1 MiB.
- **Secrets** don't belong here: the file becomes part of `job.json`, which every reader of the job
  can read. What looks like one is refused.
- `evaluate` and `postprocess.labels` need `postprocess.top_k` of at least 1; `evaluate.labels` and
  `evaluate.column` exclude each other; with `top_k`, `model.outputs` names one output at most;
  `mean` and `std` have the same length, or one of them has one number.
)";

// For a cell of a Markdown table.
std::string Cell(std::string_view text) {
  std::string cell;
  for (char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

std::string DefaultText(const SpecRow& row) {
  if (row.required) return "**required**";
  const Json value = PrintValue(row, JobSpec{});
  if (value.empty() || value == "") return std::string(row.unset.empty() ? "none" : row.unset);
  return fmt::format("`{}`", value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

std::span<const SpecKey> SpecKeys() {
  static const std::vector<SpecKey> keys = [] {
    std::vector<SpecKey> made;
    for (const SpecRow& row : SpecRows())
      made.push_back({.path = std::string(row.path),
                      .type = TypeText(row),
                      .default_text = DefaultText(row),
                      .meaning = std::string(row.meaning),
                      .identity = row.identity,
                      .required = row.required});
    return made;
  }();
  return keys;
}

std::string JobFileDoc() {
  std::string doc(kIntroduction);
  doc += "\n## Every key\n\n| key | type | default | identity | meaning |\n|---|---|---|---|---|\n";
  for (const SpecKey& key : SpecKeys())
    doc += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.path, Cell(key.type),
                       Cell(key.default_text), key.identity ? "yes" : "", Cell(key.meaning));
  doc += kExample;
  doc += kNotes;
  return doc;
}

}  // namespace armada
