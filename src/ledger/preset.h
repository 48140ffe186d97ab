// Presets: the picture preprocessing of well-known libraries, as defaults of the job file's keys.
// Pure; a test holds them against the libraries' own results.
#pragma once

#include <functional>
#include <string_view>

#include "ledger/job_spec.h"

namespace armada {

// Fills the preprocess keys that the preset sets and the user did not (is_given says which:
// "preprocess.color"). Does nothing for "none". REQUIRES: a name of the key table.
//
//   keras-caffe   keras.applications' imagenet_utils.preprocess_input(mode="caffe"): BGR, means
//                 103.939, 116.779, 123.68, no scaling (VGG, ResNet)
//   keras-tf      mode="tf": x / 127.5 - 1 (MobileNet, Inception, Xception)
//   keras-torch   mode="torch": x / 255, ImageNet's means and deviations (DenseNet)
//   torchvision   transforms._presets.ImageClassification: shorter side to 256, centre cut out,
//                 antialiased bilinear, x / 255, ImageNet's means and deviations
//
// The Keras presets resize as keras.utils.load_img(target_size=…) does unless told otherwise:
// nearest neighbour, aspect not kept. None of the libraries looks at EXIF orientation.
void ApplyPreset(const std::function<bool(std::string_view key)>& is_given, JobSpec* spec);

}  // namespace armada
