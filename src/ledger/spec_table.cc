#include "ledger/spec_table.h"

#include <algorithm>
#include <array>

namespace armada {
namespace {

constexpr int64_t kDayMs = 86'400'000;

#define MEMBER(name) [](JobSpec& spec) -> SpecMember { return &spec.name; }

constexpr auto kRows = std::to_array<SpecRow>({
    {.path = "name",
     .kind = SpecKind::kName,
     .member = MEMBER(name),
     .unset = "the job file's name without its extension",
     .meaning = "What reports call the job; letters, digits, `.`, `_` and `-`."},
    {.path = "job",
     .kind = SpecKind::kOutputPath,
     .member = MEMBER(job),
     .unset = "`./<name>.armada`",
     .meaning = "The job folder, where the results go: a path, or s3://bucket/prefix; a relative "
                "path begins in the current "
                "folder, not in the job file's. `--job` overrides it."},

    {.path = "model.path",
     .kind = SpecKind::kInputPath,
     .member = MEMBER(model.path),
     .identity = true,
     .required = true,
     .meaning = "The model: an ONNX file, a SavedModel folder, a TFLite file or an OpenVINO .xml."},
    {.path = "model.engine",
     .kind = SpecKind::kChoice,
     .member = MEMBER(model.engine),
     .choices = "auto | openvino | fake",
     .later = "exec | trees",
     .identity = true,
     .meaning = "What runs the model; `fake` computes a fixed function of the bytes, for tests."},
    {.path = "model.precision",
     .kind = SpecKind::kChoice,
     .member = MEMBER(model.precision),
     .choices = "auto | f32 | bf16",
     .identity = true,
     .meaning = "The precision of the computation; `auto` is resolved once, when the job is "
                "submitted, and recorded."},
    {.path = "model.layout",
     .kind = SpecKind::kChoice,
     .member = MEMBER(model.layout),
     .choices = "auto | nchw | nhwc",
     .identity = true,
     .meaning = "Pictures: whether the model takes channels first or last; `auto` sees it where "
                "one of the two is 1 or 3."},
    {.path = "model.outputs",
     .kind = SpecKind::kTexts,
     .member = MEMBER(model.outputs),
     .max = 1000,
     .identity = true,
     .unset = "all; with `postprocess.top_k`, the only one",
     .meaning = "Which of the model's outputs are written."},

    {.path = "input.uri",
     .kind = SpecKind::kInputPath,
     .member = MEMBER(input.uri),
     .identity = true,
     .required = true,
     .meaning =
         "What is predicted: a folder, a file, a glob, or a manifest: a file whose name ends in "
         "`.manifest` and that lists paths, one a line. On a disk, or `s3://bucket/prefix/`."},
    {.path = "input.format",
     .kind = SpecKind::kChoice,
     .member = MEMBER(input.format),
     .choices = "auto | images | tar | idx | parquet",
     .later = "csv | jsonl | text",
     .identity = true,
     .meaning = "The format of the files; `auto` looks into them."},
    {.path = "input.id",
     .kind = SpecKind::kText,
     .member = MEMBER(input.id),
     .identity = true,
     .unset = "`uri#position`",
     .meaning = "The column that names a record in the results."},
    {.path = "input.column",
     .kind = SpecKind::kText,
     .member = MEMBER(input.column),
     .identity = true,
     .unset = "none",
     .meaning = "Parquet: the column whose values are pictures, as bytes (or as a struct with a "
                "field `bytes`)."},
    {.path = "input.columns",
     .kind = SpecKind::kTexts,
     .member = MEMBER(input.columns),
     .max = 10'000,
     .identity = true,
     .unset = "all numeric columns",
     .meaning = "Parquet: the feature columns, in the model's order."},

    {.path = "preprocess.preset",
     .kind = SpecKind::kChoice,
     .member = MEMBER(preprocess.preset),
     .choices = "none | keras-caffe | keras-tf | keras-torch | torchvision",
     .identity = true,
     .meaning = "The picture preprocessing of a library, as other defaults for the keys below: "
                "keras.applications' three modes after `load_img`, or torchvision's "
                "`ImageClassification`."},
    {.path = "preprocess.size",
     .kind = SpecKind::kNumbers,
     .member = MEMBER(preprocess.size),
     .max = 2,
     .positive = true,
     .identity = true,
     .unset = "the model's",
     .meaning = "What pictures are resized to: [height, width]."},
    {.path = "preprocess.fit",
     .kind = SpecKind::kFit,
     .member = MEMBER(preprocess.fit),
     .identity = true,
     .meaning = "How a picture of another aspect comes to that size: stretched; `cover`, the "
                "largest centred part of that aspect; `contain`, centred on black; or "
                "`{resize-then-crop: 256}`, the shorter side resized, then the centre cut out."},
    {.path = "preprocess.filter",
     .kind = SpecKind::kChoice,
     .member = MEMBER(preprocess.filter),
     .choices = "nearest | bilinear | bilinear-noaa | bicubic | lanczos",
     .identity = true,
     .meaning = "How pixels are resized, to the bit as Pillow does; `bilinear-noaa` is OpenCV's "
                "INTER_LINEAR, which does not antialias."},
    {.path = "preprocess.color",
     .kind = SpecKind::kChoice,
     .member = MEMBER(preprocess.color),
     .choices = "rgb | bgr | gray",
     .identity = true,
     .meaning = "The channels that the model takes, in their order."},
    {.path = "preprocess.orientation",
     .kind = SpecKind::kChoice,
     .member = MEMBER(preprocess.orientation),
     .choices = "exif | stored",
     .identity = true,
     .meaning = "`exif`: photos are turned as their EXIF data says (as viewers and OpenCV do); "
                "`stored`: not (as Pillow, Keras and torchvision do)."},
    {.path = "preprocess.decode",
     .kind = SpecKind::kChoice,
     .member = MEMBER(preprocess.decode),
     .choices = "exact | fast",
     .identity = true,
     .meaning = "`fast`: large JPEGs are decoded at 1/2, 1/4 or 1/8 of their size, never below "
                "twice the wanted one; what that changes is measured at submit and recorded."},
    {.path = "preprocess.rescale",
     .kind = SpecKind::kNumber,
     .member = MEMBER(preprocess.rescale),
     .positive = true,
     .identity = true,
     .meaning = "y = (x · rescale − mean) / std; often `1/255`."},
    {.path = "preprocess.mean",
     .kind = SpecKind::kNumbers,
     .member = MEMBER(preprocess.mean),
     .max = 4096,
     .identity = true,
     .unset = "0",
     .meaning = "Subtracted after rescaling: one number, or one a channel."},
    {.path = "preprocess.std",
     .kind = SpecKind::kNumbers,
     .member = MEMBER(preprocess.stddev),
     .max = 4096,
     .positive = true,
     .identity = true,
     .unset = "1",
     .meaning = "Divided by at last: one number, or one a channel."},

    {.path = "parity.expected",
     .kind = SpecKind::kInputPath,
     .member = MEMBER(parity.expected),
     .identity = true,
     .unset = "no check",
     .meaning = "A sample of what your own code predicts, written by `python/armada_parity.py` "
                "([parity.md](parity.md)): the job is refused before it begins, and so is a "
                "machine, unless the predictions agree."},
    {.path = "parity.max_diff",
     .kind = SpecKind::kNumber,
     .member = MEMBER(parity.max_diff),
     .positive = true,
     .identity = true,
     .meaning = "The largest difference that any element of the model's outputs may have; bf16 "
                "may need more, often 0.02."},
    {.path = "parity.top1",
     .kind = SpecKind::kShare,
     .member = MEMBER(parity.top1_ppm),
     .identity = true,
     .meaning = "The share of the sample's records whose best class (the largest element of the "
                "first output) must be the same."},

    {.path = "postprocess.labels",
     .kind = SpecKind::kInputPath,
     .member = MEMBER(postprocess.labels),
     .identity = true,
     .unset = "numbers from 0",
     .meaning = "A text file with a class name a line; needs `postprocess.top_k`."},
    {.path = "postprocess.top_k",
     .kind = SpecKind::kCount,
     .member = MEMBER(postprocess.top_k),
     .min = 0,
     .max = 1000,
     .identity = true,
     .meaning = "How many of the best classes are written; 0 writes the model's outputs as they "
                "are."},
    {.path = "postprocess.softmax",
     .kind = SpecKind::kChoice,
     .member = MEMBER(postprocess.softmax),
     .choices = "auto | true | false",
     .identity = true,
     .meaning = "Whether scores are made probabilities; `auto`: when the outputs are none yet."},

    {.path = "evaluate.labels",
     .kind = SpecKind::kInputPath,
     .member = MEMBER(evaluate.labels),
     .choices = "auto",
     .identity = true,
     .unset = "no evaluation",
     .meaning = "An IDX file with the true classes, for accuracy in the report; `auto` finds "
                "`…-labels-idx1…` beside `…-images-idx3…`."},
    {.path = "evaluate.column",
     .kind = SpecKind::kText,
     .member = MEMBER(evaluate.column),
     .identity = true,
     .unset = "no evaluation",
     .meaning = "Or the input's column that holds the true class."},

    {.path = "output.keep",
     .kind = SpecKind::kTexts,
     .member = MEMBER(output.keep),
     .max = 1000,
     .identity = true,
     .unset = "none",
     .meaning = "Input columns that are copied into the results."},

    {.path = "limits.max_dead",
     .kind = SpecKind::kShare,
     .member = MEMBER(limits.max_dead_ppm),
     .meaning = "The share of records that may be dead; from 1,000 records on, the job stops when "
                "it is surely exceeded (99 %). 100% never stops it."},

    {.path = "plan.shard_records",
     .kind = SpecKind::kCount,
     .member = MEMBER(plan.shard_records),
     .choices = "auto",
     .min = 1,
     .max = 1'000'000'000'000,
     .identity = true,
     .meaning = "Records in a shard; `auto`: about a minute of work for one core."},
    {.path = "plan.commit_every",
     .kind = SpecKind::kDuration,
     .member = MEMBER(plan.commit_every_ms),
     .min = 1,
     .max = kDayMs,
     .identity = true,
     .meaning = "A worker commits what it has done at least this often: the most that is lost with "
                "it."},
    {.path = "plan.heartbeat",
     .kind = SpecKind::kDuration,
     .member = MEMBER(plan.heartbeat_ms),
     .min = 10,
     .max = kDayMs,
     .identity = true,
     .meaning = "A worker says this often how it is; after four times that without a word, others "
                "take over what it held (on the same machine: at once)."},
    {.path = "plan.part_shards",
     .kind = SpecKind::kCount,
     .member = MEMBER(plan.part_shards),
     .min = 1,
     .max = kPartShards,
     .identity = true,
     .meaning = "So many shards a part of the plan has at most. Work begins when the first part "
                "stands; the others follow, each after ten seconds at most."},
    {.path = "plan.batch",
     .kind = SpecKind::kCount,
     .member = MEMBER(plan.batch),
     .choices = "auto",
     .min = 1,
     .max = 65'536,
     .identity = true,
     .meaning =
         "Records the model is given at once; `auto` tries sizes on the first real records."},

    {.path = "fleet.on",
     .kind = SpecKind::kChoice,
     .member = MEMBER(fleet.on),
     .choices = "local",
     .later = "podman | slurm | kubernetes | aws",
     .meaning = "Who keeps the workers alive; `local`: processes of this machine."},
    {.path = "fleet.workers",
     .kind = SpecKind::kCount,
     .member = MEMBER(fleet.workers),
     .min = 1,
     .max = 1000,
     .meaning = "How many workers."},
});

#undef MEMBER

// Keys and sections of the design that this version has not; "x.*": every other key of x.
constexpr auto kLaterKeys = std::to_array<std::string_view>({
    "exec",
    "notify",
    "on_limit",
    "price_per_hour",
    "model.inputs",
    "input.job",
    "input.rows",
    "limits.deadline",
    "limits.budget_usd",
    "limits.on_limit",
    "fleet.*",
});

}  // namespace

std::span<const SpecRow> SpecRows() { return kRows; }

bool IsLaterKey(std::string_view path) {
  return std::ranges::any_of(kLaterKeys, [&](std::string_view later) {
    if (later.ends_with('*')) return path.starts_with(later.substr(0, later.size() - 1));
    return path == later || (path.starts_with(later) && path[later.size()] == '.');
  });
}

}  // namespace armada
