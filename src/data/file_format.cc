#include "data/file_format.h"

#include <array>
#include <utility>

#include "data/gzip_file.h"
#include "data/idx_format.h"
#include "platform/file.h"

namespace armada {

Result<std::string> FileFormat(const std::string& path) {
  constexpr std::array<std::byte, 4> kParquet = {std::byte{'P'}, std::byte{'A'}, std::byte{'R'},
                                                 std::byte{'1'}};
  ASSIGN_OR_RETURN(File file, File::Open(path));
  std::array<std::byte, 4> start{};
  ASSIGN_OR_RETURN(size_t got, file.ReadAt(0, start));
  if (got == start.size() && start == kParquet) return "parquet";
  if (LooksLikeGzip(std::span(start).first(got))) {
    auto inflated = GzipFile(std::move(file)).Read(start);
    // What is no gzip behind its magic is simply another format.
    if (!inflated && inflated.error().code != ErrorCode::kInvalid)
      return std::unexpected(std::move(inflated).error());
    got = inflated ? *inflated : 0;
  }
  return LooksLikeIdx(std::span(start).first(got)) ? "idx" : "";
}

}  // namespace armada
