#include "ledger/parity_hint.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <utility>

#include "base/text.h"
#include "ledger/preset.h"
#include "ledger/resolve_picture.h"

namespace armada {
namespace {

struct Change {
  std::string what;  // "with preprocess.color: bgr it agrees"
  ParityWay way;
};

constexpr std::array<std::string_view, 4> kPresets = {"keras-caffe", "keras-tf", "keras-torch",
                                                      "torchvision"};

// Collects the changes that come to another way than the job's own. Those that share a transform
// follow each other, so that models are opened seldom.
class Changes {
 public:
  explicit Changes(const JobRecord& record)
      : record_(record), own_(ParityWay::Of(record)), channels_(Channels(record)) {}

  std::vector<Change> All() {
    OfSoftmax();
    if (record_.input.picture) OfPictures();
    OfNumbers();
    if (record_.input.picture) OfPresets();
    if (own_.precision != Precision::kF32) {
      ParityWay way = own_;
      way.precision = Precision::kF32;
      Add("model.precision: f32", std::move(way));
    }
    return std::move(changes_);
  }

 private:
  static size_t Channels(const JobRecord& record) {
    if (record.input.picture) return static_cast<size_t>(ChannelsOf(record.input.picture->color));
    const auto& shape = record.signature.inputs[0].shape;
    return shape.empty() ? 1 : static_cast<size_t>(shape.back());
  }

  void Add(const std::string& keys, ParityWay way) {
    AddSentence(fmt::format("with {} it agrees", keys), std::move(way));
  }
  void AddSentence(std::string what, ParityWay way) {
    changes_.push_back({.what = std::move(what), .way = std::move(way)});
  }

  // With other preprocess keys, unless they come to the same or don't fit the model.
  void AddSpec(const std::string& keys, const JobSpec& spec) {
    ParityWay way = own_;
    way.transform.rescale = spec.preprocess.rescale;
    way.transform.mean = spec.preprocess.mean;
    way.transform.stddev = spec.preprocess.stddev;
    if (record_.input.picture) {
      InputSpec input = record_.input;
      if (!ResolvePicture(spec, record_.signature, &input, &way.transform)) return;
      way.picture = input.picture;
    }
    const auto fits = [&](const std::vector<double>& values) {
      return values.size() <= 1 || values.size() == channels_;
    };
    if (!fits(way.transform.mean) || !fits(way.transform.stddev)) return;
    if (way.transform == own_.transform && way.picture == own_.picture) return;
    Add(keys, std::move(way));
  }

  void AddChoices(const char* key, std::string JobSpec::Preprocess::* member,
                  std::span<const std::string_view> values) {
    for (const std::string_view value : values) {
      JobSpec spec = record_.spec;
      spec.preprocess.*member = value;
      AddSpec(fmt::format("preprocess.{}: {}", key, value), spec);
    }
  }

  void OfSoftmax() {
    if (record_.schema.outputs.size() != 1 || record_.schema.outputs[0].elements < 2) return;
    ParityWay way = own_;
    way.softmax = ParityWay::Softmax::kOfModel;
    AddSentence(
        "the softmax of what the model gives agrees: the sample has to hold what the model "
        "itself gives",
        way);
    way.softmax = ParityWay::Softmax::kOfExpected;
    AddSentence(
        "the softmax of what the sample expects agrees: the model has a softmax of its own, "
        "and the sample lacks it",
        std::move(way));
  }

  void OfPictures() {
    using Keys = JobSpec::Preprocess;
    AddChoices("color", &Keys::color, std::array<std::string_view, 2>{"rgb", "bgr"});
    AddChoices("filter", &Keys::filter, kPictureFilterNames);
    AddChoices("orientation", &Keys::orientation,
               std::array<std::string_view, 2>{"exif", "stored"});
    AddChoices(
        "fit", &Keys::fit,
        std::array<std::string_view, 4>{"stretch", "cover", "contain", "resize-then-crop:256"});
    AddChoices("decode", &Keys::decode, std::array<std::string_view, 1>{"exact"});
  }

  void OfNumbers() {
    JobSpec spec = record_.spec;
    spec.preprocess.rescale = 1.0 / 255;
    AddSpec("preprocess.rescale: 1/255", spec);
    spec.preprocess.rescale = 1;
    AddSpec("preprocess.rescale: 1", spec);
    spec = record_.spec;
    spec.preprocess.mean.clear();
    spec.preprocess.stddev.clear();
    AddSpec("no preprocess.mean and no preprocess.std", spec);
  }

  void OfPresets() {
    for (const std::string_view preset : kPresets) {
      JobSpec spec = record_.spec;
      spec.preprocess.preset = preset;
      ApplyPreset(
          [](std::string_view key) {
            return key != "preprocess.rescale" && key != "preprocess.mean" &&
                   key != "preprocess.std";
          },
          &spec);
      AddSpec(fmt::format("the rescale, mean and std of preprocess.preset: {}", preset), spec);
      spec = record_.spec;
      spec.preprocess = JobSpec{}.preprocess;
      spec.preprocess.preset = preset;
      ApplyPreset([](std::string_view) { return false; }, &spec);
      AddSpec(fmt::format("preprocess.preset: {} and no other key of preprocess", preset), spec);
    }
  }

  const JobRecord& record_;
  const ParityWay own_;
  const size_t channels_;
  std::vector<Change> changes_;
};

// The batches that disagree most, at most kMaxHintRecords records of them.
std::vector<size_t> WorstBatches(const ParityDifference& base) {
  std::vector<size_t> order(base.batches.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](size_t i) { return base.batches[i]; });
  order.resize(std::min<size_t>(order.size(), kMaxHintRecords / kSampleBatchRows));
  return order;
}

}  // namespace

std::string ParityHint(Engine& engine, const JobRecord& record, const ParitySample& sample,
                       std::string_view name, ParityRun& run, const ParityDifference& base) {
  const ParityWay own = ParityWay::Of(record);
  const std::vector<size_t> batches = WorstBatches(base);
  std::optional<ParityRun> other;  // of the last transform that was not the job's own
  ParityWay others;
  std::string best;
  double least = 0;
  for (const Change& change : Changes(record).All()) {
    const ParityWay& way = change.way;
    const bool shared = way.transform == own.transform && way.precision == own.precision;
    if (!shared &&
        !(other && way.transform == others.transform && way.precision == others.precision)) {
      other.reset();  // before the next one takes its memory
      auto opened = ParityRun::Open(engine, record.spec.model.path, record, way);
      if (!opened) continue;
      other = std::move(*opened);
      others = way;
    }
    const auto found =
        (shared ? run : *other).Compare(sample, name, way, batches, record.spec.parity.max_diff);
    if (!found || !found->Agrees(record)) continue;
    // Of several that agree the clearly nearest one, or else the simplest, which comes first.
    constexpr double kClearly = 0.5;
    if (!best.empty() && !(found->worst.difference < least * kClearly)) continue;
    least = found->worst.difference;
    best =
        fmt::format("{} (largest difference {:.2g}{})", change.what, least,
                    found->records < sample.rows
                        ? fmt::format(" on the {} records that were furthest off", found->records)
                        : "");
  }
  return best;
}

}  // namespace armada
