// What kind of model a path holds, told by its content, and the files that make it up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace armada {

enum class ModelFormat : uint8_t { kOnnx, kSavedModel, kTflite, kIr };
std::string_view ModelFormatName(ModelFormat format);  // "ONNX", "TensorFlow SavedModel", …

// kInvalid with what the path holds instead: a missing, empty or unknown file, IR without its
// weights, or a format that is recognised but must be exported first (.keras, HDF5,
// PyTorch), with the Python lines that do it.
Result<ModelFormat> DetectModelFormat(const std::string& path);

// The files a model consists of, relative to the folder it is in ("m.xml", "m.bin"; "model/
// saved_model.pb", …), sorted: what a copy must contain and a hash must cover.
struct ModelFiles {
  std::string folder;
  std::vector<std::string> files;
};
Result<ModelFiles> ListModelFiles(const std::string& path);

// SHA-256 over the names and bytes of all files of the model.
Result<std::string> HashModel(const std::string& path);

}  // namespace armada
