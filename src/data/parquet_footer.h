// Parquet files of Armada's own as bytes in memory: writing them, finding their footer in an
// object's last bytes, reading its key-value metadata. Free functions, thread-safe. Only
// data/parquet_* include this.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/table.h>
#include <parquet/metadata.h>

#include "base/result.h"

namespace armada {

using ParquetFacts = std::vector<std::pair<std::string, std::string>>;

// A whole file of one table, compressed, with `facts` in its key-value metadata. The same input
// gives the same bytes. `row_group_rows` bounds what a reader must decode at once.
Result<std::string> EncodeParquet(const arrow::Table& table, const ParquetFacts& facts,
                                  int64_t row_group_rows);

// The footer in an object's last bytes. kLimit when `suffix` is too short to hold it, and
// *needed_bytes says how long a suffix is; kCorrupt, beginning with `what`, when it is no Parquet.
Result<std::shared_ptr<parquet::FileMetaData>> ReadFooter(std::string_view suffix,
                                                          int64_t object_bytes,
                                                          std::string_view what,
                                                          int64_t* needed_bytes);

// A fact of the footer as text, or as a number that is not negative. kCorrupt, naming it.
Result<std::string> FooterText(const parquet::FileMetaData& footer, const char* key,
                               std::string_view what);
Result<int64_t> FooterInt(const parquet::FileMetaData& footer, const char* key,
                          std::string_view what);

}  // namespace armada
