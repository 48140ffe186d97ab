#include "data/input_file.h"

#include <utility>

namespace armada {

Result<InputFile> InputFile::Open(const std::string& place) {
  if (IsInBucket(place)) {
    ASSIGN_OR_RETURN(auto object, BucketFile::Open(place));
    return InputFile(place, std::move(object));
  }
  ASSIGN_OR_RETURN(File file, File::Open(place));
  return InputFile(place, std::move(file));
}

Result<size_t> InputFile::ReadAt(int64_t offset, std::span<std::byte> into) const {
  if (const File* const file = std::get_if<File>(&file_)) return file->ReadAt(offset, into);
  return std::get<1>(file_)->ReadAt(offset, into);
}

Result<FileStamp> InputFile::Stamp() const {
  if (const File* const file = std::get_if<File>(&file_)) return file->Stamp();
  return std::get<1>(file_)->stamp();
}

Result<FileStamp> StampInput(const std::string& place) {
  if (!IsInBucket(place)) return StampFile(place);
  ASSIGN_OR_RETURN(S3Objects* const bucket, BucketOf(place));
  ASSIGN_OR_RETURN(const S3Part part, bucket->Read(BucketKeyOf(place), 0, 1, ""));
  return FileStamp{.size_bytes = part.object_bytes, .etag = part.etag};
}

bool IsInputFile(const std::string& place) {
  return IsInBucket(place) ? StampInput(place).has_value() : IsFile(place);
}

}  // namespace armada
