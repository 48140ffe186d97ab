// Guessing a job's keys from a model and its input, for people who have no job file yet: what kind
// of records there are, how pictures are preprocessed, what the classes are called. A guess can be
// wrong, so each says why it was made, and the user's own keys stand above it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace armada {

struct GuessedKey {
  std::string key;    // "preprocess.preset"
  std::string value;  // as --set takes it
  std::string why;    // "its input is [N, 3, 224, 224], as PyTorch's are"
};

// Keys for which is_given is false. Opens model and input. Fails as they do.
//
// Pictures: a model of u8 pixels gets them as they are; one that takes channels first is taken for
// torchvision's, one that takes them last for Keras's "tf" mode, one of a single channel for x /
// 255. IDX bytes for a model of floats: x / 255. Labels: a file labels.txt, classes.txt or
// MODEL.labels.txt beside the model that has a line a class.
Result<std::vector<GuessedKey>> GuessKeys(
    const std::string& model, const std::string& input,
    const std::function<bool(std::string_view key)>& is_given);

}  // namespace armada
