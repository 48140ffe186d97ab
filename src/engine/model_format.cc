#include "engine/model_format.h"

#include <algorithm>
#include <array>

#include "base/sha256.h"
#include "base/text.h"
#include "platform/file.h"

namespace armada {
namespace {

constexpr int64_t kHeadBytes = 4096;
constexpr int64_t kTailBytes = 256 * 1024;  // a zip file's directory of names is at its end

constexpr std::string_view kHdf5Magic = "\x89HDF\r\n\x1a\n";
constexpr std::string_view kZipMagic = "PK\x03\x04";
constexpr std::string_view kTfliteMagic = "TFL3";  // at offset 4, as in every flat buffer

std::string BaseName(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

std::string WithoutExtension(const std::string& path) {
  const size_t dot = path.rfind('.');
  const size_t slash = path.rfind('/');
  return dot == std::string::npos || (slash != std::string::npos && dot < slash)
             ? path
             : path.substr(0, dot);
}

std::unexpected<Error> KerasMustBeExported(const std::string& path) {
  const std::string stem = BaseName(WithoutExtension(path));
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: a Keras file, which only Keras itself can read", path),
                  fmt::format("export it once, where Keras and TensorFlow are installed, with\n"
                              "    python python/armada_export.py {} {}.onnx\n"
                              "  or by hand:\n"
                              "    import keras\n"
                              "    model = keras.saving.load_model(\"{}\")\n"
                              "    model.export(\"{}\")\n"
                              "  and set model.path to {}/, the SavedModel that this writes",
                              BaseName(path), stem, BaseName(path), stem, stem));
}

std::unexpected<Error> PyTorchMustBeExported(const std::string& path, bool is_script) {
  const std::string stem = BaseName(WithoutExtension(path));
  const std::string load = is_script
                               ? fmt::format("torch.jit.load(\"{}\").eval()", BaseName(path))
                               : fmt::format(
                                     "torch.load(\"{}\", weights_only=False).eval()"
                                     "  # a state_dict? build your model and load_state_dict() it",
                                     BaseName(path));
  return FailWith(
      ErrorCode::kInvalid, fmt::format("{}: a PyTorch file, which needs PyTorch to run", path),
      fmt::format("export it once, where PyTorch is installed (the input's shape is yours), with\n"
                  "    python python/armada_export.py {} {}.onnx --input-shape 3,224,224\n"
                  "  or by hand:\n"
                  "    import torch\n"
                  "    model = {}\n"
                  "    torch.onnx.export(model, torch.zeros(1, 3, 224, 224), \"{}.onnx\",\n"
                  "                      input_names=[\"image\"], output_names=[\"scores\"],\n"
                  "                      dynamic_axes={{\"image\": {{0: \"batch\"}}, "
                  "\"scores\": {{0: \"batch\"}}}})\n"
                  "  and set model.path to {}.onnx",
                  BaseName(path), stem, load, stem, stem));
}

std::unexpected<Error> Unknown(const std::string& path, std::string_view what) {
  return FailWith(ErrorCode::kInvalid, fmt::format("{}: {}", path, what),
                  "model.path is an .onnx file, a TensorFlow SavedModel folder, a .tflite file or "
                  "an OpenVINO .xml with its .bin beside it");
}

Result<ModelFormat> DetectFolder(const std::string& path) {
  if (IsFile(path + "/saved_model.pb")) return ModelFormat::kSavedModel;
  ASSIGN_OR_RETURN(const std::vector<FolderEntry> entries, ListFolder(path));
  if (entries.empty()) return Unknown(path, "an empty folder");
  for (const FolderEntry& entry : entries) {
    for (const std::string_view extension : {".onnx", ".tflite", ".xml"}) {
      if (!entry.is_folder && entry.name.ends_with(extension)) {
        return FailWith(ErrorCode::kInvalid, fmt::format("{}: a folder, not a model", path),
                        fmt::format("set model.path to {}/{}", path, entry.name));
      }
    }
  }
  return Unknown(path, "a folder without saved_model.pb");
}

struct Ends {
  std::string head;
  std::string tail;
};

Result<std::string> ReadPart(const File& file, int64_t offset, int64_t bytes) {
  std::string part(static_cast<size_t>(bytes), '\0');
  ASSIGN_OR_RETURN(const size_t read, file.ReadAt(offset, std::as_writable_bytes(std::span(part))));
  part.resize(read);
  return part;
}

Result<Ends> ReadEnds(const std::string& path) {
  ASSIGN_OR_RETURN(const File file, File::Open(path));
  ASSIGN_OR_RETURN(const FileStamp stamp, file.Stamp());
  const int64_t size = stamp.size_bytes;
  const int64_t tail_bytes = std::min(kTailBytes, size);
  Ends ends;
  ASSIGN_OR_RETURN(ends.head, ReadPart(file, 0, std::min(kHeadBytes, size)));
  ASSIGN_OR_RETURN(ends.tail, ReadPart(file, size - tail_bytes, tail_bytes));
  return ends;
}

Result<ModelFormat> DetectFile(const std::string& path) {
  ASSIGN_OR_RETURN(const Ends ends, ReadEnds(path));
  const std::string_view head = ends.head;
  if (head.empty()) return Unknown(path, "an empty file");
  if (head.starts_with(kHdf5Magic)) return KerasMustBeExported(path);
  if (head.starts_with(kZipMagic)) {
    const auto has = [&](std::string_view name) { return ends.tail.contains(name); };
    if (has("config.json") && has("metadata.json")) return KerasMustBeExported(path);
    if (has("data.pkl")) return PyTorchMustBeExported(path, has("/code/"));
    return Unknown(path, "a zip file, not a model");
  }
  if (path.ends_with(".keras") || path.ends_with(".h5") || path.ends_with(".hdf5")) {
    return KerasMustBeExported(path);
  }
  if (path.ends_with(".pt") || path.ends_with(".pth")) return PyTorchMustBeExported(path, false);
  if (path.ends_with("saved_model.pb")) {
    return FailWith(ErrorCode::kInvalid, fmt::format("{}: one file of a SavedModel", path),
                    fmt::format("set model.path to the folder: {}", FolderOf(path)));
  }
  if (path.ends_with(".onnx")) return ModelFormat::kOnnx;
  if (path.ends_with(".tflite")) {
    if (head.size() < 8 || head.substr(4, 4) != kTfliteMagic) {
      return Unknown(path, "not a TFLite file: its first bytes are others");
    }
    return ModelFormat::kTflite;
  }
  if (path.ends_with(".xml")) {
    if (!head.contains("<net")) return Unknown(path, "not OpenVINO IR: there is no <net> in it");
    const std::string weights = WithoutExtension(path) + ".bin";
    if (!IsFile(weights)) {
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: its weights, {}, are missing", path, weights),
                      "copy the .bin beside the .xml");
    }
    return ModelFormat::kIr;
  }
  if (head.size() >= 8 && head.substr(4, 4) == kTfliteMagic) {
    return Unknown(path, "a TFLite file; rename it to end in .tflite");
  }
  return Unknown(path, "not a model that Armada knows");
}

}  // namespace

std::string_view ModelFormatName(ModelFormat format) {
  switch (format) {
    case ModelFormat::kOnnx:
      return "ONNX";
    case ModelFormat::kSavedModel:
      return "TensorFlow SavedModel";
    case ModelFormat::kTflite:
      return "TFLite";
    case ModelFormat::kIr:
      return "OpenVINO IR";
  }
  return "";
}

Result<ModelFormat> DetectModelFormat(const std::string& path) {
  if (IsFolder(path)) return DetectFolder(path);
  if (!IsFile(path)) {
    return FailWith(ErrorCode::kInvalid, fmt::format("{}: there is no such model", path),
                    "correct model.path; it is relative to the job file");
  }
  return DetectFile(path);
}

Result<ModelFiles> ListModelFiles(const std::string& path) {
  if (IsFolder(path)) {
    std::string root = path;
    while (root.size() > 1 && root.ends_with('/')) root.pop_back();
    const std::string name = BaseName(root);
    ModelFiles model{FolderOf(root), {}};
    RETURN_IF_ERROR(WalkFiles(root, [&](const std::string& file) -> Status {
      model.files.push_back(name + "/" + file);
      return {};
    }));
    return model;
  }
  ModelFiles model{FolderOf(path), {BaseName(path)}};
  const std::string weights = WithoutExtension(path) + ".bin";
  if (path.ends_with(".xml") && IsFile(weights)) model.files.push_back(BaseName(weights));
  std::ranges::sort(model.files);
  return model;
}

Result<std::string> HashModel(const std::string& path) {
  ASSIGN_OR_RETURN(const ModelFiles model, ListModelFiles(path));
  Sha256 hash;
  std::string buffer(1 << 20, '\0');
  for (const std::string& name : model.files) {
    ASSIGN_OR_RETURN(const File file, File::Open(model.folder + "/" + name));
    ASSIGN_OR_RETURN(const FileStamp stamp, file.Stamp());
    hash.Update(fmt::format("{} {}\n", stamp.size_bytes, name));
    for (int64_t offset = 0; offset < stamp.size_bytes;) {
      ASSIGN_OR_RETURN(const size_t read,
                       file.ReadAt(offset, std::as_writable_bytes(std::span(buffer))));
      if (read == 0) return Fail(ErrorCode::kUnavailable, "{} shrank while it was read", name);
      hash.Update(std::string_view(buffer).substr(0, read));
      offset += static_cast<int64_t>(read);
    }
  }
  return hash.Finish();
}

}  // namespace armada
