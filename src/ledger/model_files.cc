#include "ledger/model_files.h"

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "base/text.h"
#include "engine/model_format.h"
#include "ledger/names.h"
#include "ledger/settle.h"
#include "platform/file.h"
#include "store/key.h"

namespace armada {
namespace {

constexpr int64_t kMaxModelFileBytes = int64_t{4} << 30;
constexpr size_t kChunkBytes = 1 << 20;

Result<ModelFile> HashFile(const std::string& path, const std::string& name) {
  ASSIGN_OR_RETURN(const File file, File::Open(path));
  Sha256 hash;
  ModelFile hashed{.path = name};
  std::string chunk(kChunkBytes, '\0');
  for (;;) {
    ASSIGN_OR_RETURN(const size_t got,
                     file.ReadAt(hashed.size_bytes, std::as_writable_bytes(std::span(chunk))));
    if (got == 0) break;
    hash.Update(std::string_view(chunk).substr(0, got));
    hashed.size_bytes += static_cast<int64_t>(got);
  }
  hashed.sha256 = hash.Finish();
  return hashed;
}

// The files beside an ONNX model that its tensors refer to: the values of "location" in its
// external_data entries (onnx.proto: StringStringEntryProto, key = 1, value = 2), found by their
// encoding, for only this is wanted of the file.
std::vector<std::string> ExternalData(std::string_view onnx) {
  constexpr std::string_view kLocation = "\x0a\x08location\x12";
  std::vector<std::string> names;
  for (size_t at = onnx.find(kLocation); at != onnx.npos; at = onnx.find(kLocation, at)) {
    at += kLocation.size();
    size_t length = 0;
    int shift = 0;
    while (at < onnx.size() && shift < 21) {
      const auto byte = static_cast<unsigned char>(onnx[at++]);
      length |= static_cast<size_t>(byte & 0x7F) << shift;
      shift += 7;
      if (byte < 0x80) break;
    }
    const std::string name(onnx.substr(at, length));
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

Status AddExternalData(const std::string& path, ModelFiles* model) {
  ASSIGN_OR_RETURN(const std::string onnx, ReadFile(path, kMaxModelFileBytes));
  for (const std::string& name : ExternalData(onnx)) {
    const bool inside = !name.starts_with('/') && !("/" + name + "/").contains("/../");
    if (!inside || !IsFile(model->folder + "/" + name))
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: its weights, {}, are not below the model's folder",
                                  Printable(path), Printable(name)),
                      "put them beside the .onnx under the name it was exported with");
    model->files.push_back(name);
  }
  std::ranges::sort(model->files);
  const auto twice = std::ranges::unique(model->files);
  model->files.erase(twice.begin(), twice.end());
  return {};
}

}  // namespace

Result<HashedModel> HashModelFiles(const std::string& path) {
  if (!IsFolder(path) && !IsFile(path))
    return FailWith(ErrorCode::kInvalid, fmt::format("{}: there is no such model", Printable(path)),
                    "correct model.path; it is relative to the job file");
  ASSIGN_OR_RETURN(ModelFiles files, ListModelFiles(path));
  if (path.ends_with(".onnx") && IsFile(path)) RETURN_IF_ERROR(AddExternalData(path, &files));
  HashedModel model{.folder = files.folder, .files = {}, .main = {}, .sha256 = {}};
  std::string whole = path;
  while (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  model.main = whole.substr(whole.rfind('/') + 1);
  std::string summary;
  for (const std::string& name : files.files) {
    ASSIGN_OR_RETURN(ModelFile file, HashFile(files.folder + "/" + name, name));
    summary += fmt::format("{} {} {}\n", file.sha256, file.size_bytes, name);
    model.files.push_back(std::move(file));
  }
  model.sha256 = Sha256Hex(summary);
  for (const ModelFile& file : model.files)
    if (!IsKey(ModelKey(model.sha256, file.path)))
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: its name can't be an object's", Printable(file.path)),
                      "give the model's file a shorter name");
  return model;
}

Status StoreModelFiles(ObjectStore& store, const HashedModel& model) {
  for (const ModelFile& file : model.files) {
    const std::string path = model.folder + "/" + file.path;
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxModelFileBytes));
    if (Sha256Hex(bytes) != file.sha256)
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: it changed while the job was submitted", Printable(path)),
                      "submit again when whatever writes it has finished");
    const std::string key = ModelKey(model.sha256, file.path);
    ASSIGN_OR_RETURN(const bool created, CreateSettled(store, key, bytes));
    if (created) continue;
    ASSIGN_OR_RETURN(const Suffix there, GetSuffixPatiently(store, key, 1));
    if (there.size_bytes != file.size_bytes)
      return Fail(ErrorCode::kCorrupt, "{}/{}: {} bytes, but its name is that of {}", store.name(),
                  key, there.size_bytes, file.size_bytes);
  }
  return {};
}

Result<std::string> FetchModel(ObjectStore& store, const JobRecord& record,
                               const std::string& cache_folder) {
  const auto path_of = [&](const std::string& key) {
    return store.LocalPath(key).value_or(cache_folder + "/" + key);
  };
  for (const ModelFile& file : record.model_files) {
    const std::string key = ModelKey(record.model_sha256, file.path);
    const bool in_place = store.LocalPath(key).has_value();
    auto found = HashFile(path_of(key), file.path);
    if (in_place && !found) return std::unexpected(found.error());
    if (!in_place && !(found && found->sha256 == file.sha256)) {
      ASSIGN_OR_RETURN(const std::string bytes, GetPatiently(store, key));
      found = ModelFile{.path = file.path, .sha256 = Sha256Hex(bytes)};
      RETURN_IF_ERROR(ReplaceFile(path_of(key), bytes));
    }
    if (found->sha256 != file.sha256)
      return FailWith(
          ErrorCode::kCorrupt,
          fmt::format("{}/{}: its content is not what was submitted", store.name(), key),
          "put the original model file back");
  }
  return path_of(ModelKey(record.model_sha256, record.model_main));
}

}  // namespace armada
