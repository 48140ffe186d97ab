#include "data/file_format.h"

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "data/decode_picture.h"
#include "data/gzip_file.h"
#include "data/idx_format.h"
#include "data/input_file.h"

namespace armada {
namespace {

constexpr size_t kTarBlock = 512;

bool Begins(std::span<const std::byte> bytes, std::string_view magic, size_t at = 0) {
  return bytes.size() >= at + magic.size() &&
         std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

}  // namespace

Result<std::string> FileFormat(const std::string& path) {
  ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  std::array<std::byte, kTarBlock> block{};
  ASSIGN_OR_RETURN(size_t got, file.ReadAt(0, block));
  std::span<const std::byte> start = std::span(block).first(got);
  if (Begins(start, "PAR1")) return "parquet";
  if (SniffPicture(start) != PictureFormat::kNone) return "images";
  if (Begins(start, "\x28\xB5\x2F\xFD")) return "tar";  // zstd: nothing else is read from it
  if (LooksLikeGzip(start)) {
    // What is no gzip behind its magic is simply another format; what is damaged further on is of
    // the format that it begins as.
    constexpr size_t kIdxMagicBytes = 4;
    GzipFile gzip(std::move(file));
    got = 0;
    for (const size_t until : {kIdxMagicBytes, block.size()}) {
      auto inflated = gzip.Read(std::span(block).subspan(got, until - got));
      if (!inflated && inflated.error().code != ErrorCode::kInvalid)
        return std::unexpected(std::move(inflated).error());
      if (!inflated) break;
      got += *inflated;
    }
    start = std::span(block).first(got);
  }
  constexpr size_t kTarMagicAt = 257;
  if (Begins(start, "ustar", kTarMagicAt)) return "tar";
  return LooksLikeIdx(start) ? "idx" : "";
}

}  // namespace armada
