#include "ledger/preset.h"

#include <vector>

namespace armada {
namespace {

struct Preset {
  std::string_view color;
  double rescale;
  std::vector<double> mean;
  std::vector<double> stddev;
  std::string_view fit;
  std::string_view filter;
};

Preset PresetOf(std::string_view name) {
  const std::vector<double> imagenet_mean = {0.485, 0.456, 0.406};
  const std::vector<double> imagenet_std = {0.229, 0.224, 0.225};
  if (name == "keras-caffe")
    return {"bgr", 1, {103.939, 116.779, 123.68}, {}, "stretch", "nearest"};
  if (name == "keras-tf") return {"rgb", 1 / 127.5, {1}, {}, "stretch", "nearest"};
  if (name == "keras-torch")
    return {"rgb", 1.0 / 255, imagenet_mean, imagenet_std, "stretch", "nearest"};
  return {"rgb", 1.0 / 255, imagenet_mean, imagenet_std, "resize-then-crop:256", "bilinear"};
}

}  // namespace

void ApplyPreset(const std::function<bool(std::string_view key)>& is_given, JobSpec* spec) {
  auto& keys = spec->preprocess;
  if (keys.preset == "none") return;
  const Preset preset = PresetOf(keys.preset);
  if (!is_given("preprocess.color")) keys.color = preset.color;
  if (!is_given("preprocess.rescale")) keys.rescale = preset.rescale;
  if (!is_given("preprocess.mean")) keys.mean = preset.mean;
  if (!is_given("preprocess.std")) keys.stddev = preset.stddev;
  if (!is_given("preprocess.fit")) keys.fit = preset.fit;
  if (!is_given("preprocess.filter")) keys.filter = preset.filter;
  if (!is_given("preprocess.orientation")) keys.orientation = "stored";
}

}  // namespace armada
