#include "data/source.h"

#include <utility>

#include "base/text.h"
#include "data/file_format.h"
#include "data/idx_source.h"
#include "data/images_source.h"
#include "data/input_files.h"
#include "data/parquet_source.h"
#include "data/tar_source.h"

namespace armada {
namespace {

// The format of the first file that has one.
Result<std::string> FindFormat(const InputSpec& spec, const InputFiles& files) {
  std::string format;
  std::string first_unknown;
  int64_t unknown = 0;
  const Status status = files.Visit("", [&](const ListedFile& listed) -> Status {
    const std::string& path = listed.path;
    Result<std::string> found = FileFormat(files.Locate(path));
    if (!found && found.error().code == ErrorCode::kNotFound && files.is_manifest()) return {};
    ASSIGN_OR_RETURN(format, std::move(found));
    if (!format.empty()) return Fail(ErrorCode::kCancelled, "found");
    if (unknown++ == 0) first_unknown = path;
    return {};
  });
  if (!status && status.error().code != ErrorCode::kCancelled)
    return std::unexpected(status.error());
  if (!format.empty()) return format;
  if (unknown == 0)
    return FailWith(
        ErrorCode::kNotFound, fmt::format("input {}: no files there", spec.uri),
        "check input.uri; names that begin with '.' are left out, unless a manifest lists them");
  return FailWith(
      ErrorCode::kInvalid,
      fmt::format("input {}: none of its {} files is a picture, tar, IDX or Parquet, {} first",
                  spec.uri, unknown, Printable(first_unknown)),
      "give the job pictures (JPEG, PNG, WebP; loose or in tar files), IDX or Parquet files");
}

}  // namespace

Result<std::unique_ptr<Source>> OpenSource(InputSpec* spec) {
  ASSIGN_OR_RETURN(InputFiles files, InputFiles::Open(spec->uri));
  std::string format = spec->format;
  if (format.empty() || format == "auto") {
    ASSIGN_OR_RETURN(format, FindFormat(*spec, files));
  }
  spec->format = format;
  if (format == "idx") return NewIdxSource(*spec, std::move(files));
  if (format == "parquet") return NewParquetSource(spec, std::move(files));
  if (format == "images") return NewImagesSource(*spec, std::move(files));
  if (format == "tar") return NewTarSource(*spec, std::move(files));
  return FailWith(ErrorCode::kInvalid, fmt::format("input.format '{}' is not read", format),
                  "set it to auto, images, tar, idx or parquet");
}

Result<InputLook> LookAtInput(const std::string& uri) {
  ASSIGN_OR_RETURN(const InputFiles files, InputFiles::Open(uri));
  InputLook look;
  ASSIGN_OR_RETURN(look.format, FindFormat({.uri = uri}, files));
  if (look.format == "parquet") {
    ASSIGN_OR_RETURN(look.picture_column, OnlyPictureColumn(uri, files));
  }
  return look;
}

}  // namespace armada
