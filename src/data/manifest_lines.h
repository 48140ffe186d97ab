// The lines of a text file, one after another, through a buffer of bounded size. Not thread-safe;
// one user.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/input_file.h"

namespace armada {

class ManifestLines {
 public:
  static constexpr size_t kMaxLine = 4'096;

  // Reads from `offset`, where a line begins. The file must outlive it.
  ManifestLines(const InputFile& file, int64_t offset) : file_(file), offset_(offset) {}

  // The next line without its end, valid until the next call; nullopt at the file's end. kInvalid,
  // naming file and byte, for one that is longer than kMaxLine or holds a zero byte.
  Result<std::optional<std::string_view>> Next();
  // Where the next line begins.
  int64_t offset() const { return offset_; }

 private:
  const InputFile& file_;
  int64_t offset_;
  std::string buffer_;  // of the file, up to where it has been read
  size_t at_ = 0;       // in it: the next line
  bool ended_ = false;
};

}  // namespace armada
