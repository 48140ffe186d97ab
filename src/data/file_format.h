// Which format a file has, by its content. Free function, thread-safe.
#pragma once

#include <string>

#include "base/result.h"

namespace armada {

// "idx" (plain or gzipped), "parquet", "images" (a picture), "tar" (plain, gzipped or zstd), or ""
// for others, empty files included.
Result<std::string> FileFormat(const std::string& path);

}  // namespace armada
