// A gzip file as a stream of its uncompressed bytes, in bounded memory whatever its ratio. One
// thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "data/input_file.h"

namespace armada {

bool LooksLikeGzip(std::span<const std::byte> start);

class GzipFile {
 public:
  explicit GzipFile(InputFile file);
  ~GzipFile();

  // Fills `into`; returns the bytes written, fewer only at the end of the data, whose length and
  // CRC-32 are then known to be right and which nothing follows. kInvalid when the stream is
  // damaged, truncated or followed by something else.
  Result<size_t> Read(std::span<std::byte> into);
  // Goes on by `bytes`; returns by how many, fewer only at the end of the data.
  Result<int64_t> Skip(int64_t bytes);

  const InputFile& file() const { return file_; }

 private:
  struct Inflater;
  Status Fill();
  Status EndMember();

  InputFile file_;
  int64_t offset_ = 0;  // in the compressed file
  bool end_ = false;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace armada
