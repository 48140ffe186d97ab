#include "data/parquet_footer.h"

#include <algorithm>
#include <charconv>

#include <arrow/io/memory.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include "base/text.h"
#include "data/arrow_types.h"

namespace armada {
namespace {

constexpr int64_t kMaxFooterBytes = 64 << 20;
constexpr std::string_view kMagic = "PAR1";
constexpr int64_t kTrailerBytes = 8;  // the footer's length, the magic

}  // namespace

Result<std::string> EncodeParquet(const arrow::Table& table, const ParquetFacts& facts,
                                  int64_t row_group_rows) {
  const auto failure = [](const arrow::Status& status) {
    return ArrowFailure(status, "write Parquet", ErrorCode::kInternal);
  };
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : facts) metadata->Append(key, value);
  try {
    auto sink = arrow::io::BufferOutputStream::Create();
    if (!sink.ok()) return failure(sink.status());
    auto writer = parquet::arrow::FileWriter::Open(
        *table.schema(), arrow::default_memory_pool(), *sink,
        parquet::WriterProperties::Builder()
            .compression(arrow::Compression::SNAPPY)
            ->disable_statistics()
            ->build(),
        parquet::ArrowWriterProperties::Builder().store_schema()->build());
    if (!writer.ok()) return failure(writer.status());
    if (table.num_rows() > 0)
      if (auto status = (*writer)->WriteTable(table, row_group_rows); !status.ok())
        return failure(status);
    if (auto status = (*writer)->AddKeyValueMetadata(metadata); !status.ok())
      return failure(status);
    if (auto status = (*writer)->Close(); !status.ok()) return failure(status);
    auto buffer = (*sink)->Finish();
    if (!buffer.ok()) return failure(buffer.status());
    return (*buffer)->ToString();
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, "write Parquet: {}", e.what());
  }
}

Result<std::shared_ptr<parquet::FileMetaData>> ReadFooter(std::string_view suffix,
                                                          int64_t object_bytes,
                                                          std::string_view what,
                                                          int64_t* needed_bytes) {
  const int64_t smallest = static_cast<int64_t>(kMagic.size()) + kTrailerBytes;
  if (object_bytes < smallest)
    return Fail(ErrorCode::kCorrupt, "{}: only {} bytes", what, object_bytes);
  const auto have = static_cast<int64_t>(suffix.size());
  *needed_bytes = kTrailerBytes;
  if (have < kTrailerBytes) return Fail(ErrorCode::kLimit, "{} bytes hold no footer", have);
  if (!suffix.ends_with(kMagic)) return Fail(ErrorCode::kCorrupt, "{}: no Parquet file", what);
  const auto* trailer =
      reinterpret_cast<const unsigned char*>(suffix.data() + have - kTrailerBytes);
  const int64_t length =
      trailer[0] | trailer[1] << 8 | trailer[2] << 16 | int64_t{trailer[3]} << 24;
  if (length > kMaxFooterBytes || length > object_bytes - smallest)
    return Fail(ErrorCode::kCorrupt, "{}: a footer of {} bytes", what, length);
  *needed_bytes = length + kTrailerBytes;
  if (have < *needed_bytes)
    return Fail(ErrorCode::kLimit, "the footer is {} bytes long", *needed_bytes);
  try {
    return parquet::FileMetaData::Make(suffix.data() + have - *needed_bytes, length);
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kCorrupt, "{}: a damaged footer: {}", what, Printable(e.what()));
  }
}

Result<std::string> FooterText(const parquet::FileMetaData& footer, const char* key,
                               std::string_view what) {
  if (footer.key_value_metadata() != nullptr)
    if (auto value = footer.key_value_metadata()->Get(key); value.ok()) return *value;
  return Fail(ErrorCode::kCorrupt, "{}: its footer lacks {}", what, key);
}

Result<int64_t> FooterInt(const parquet::FileMetaData& footer, const char* key,
                          std::string_view what) {
  ASSIGN_OR_RETURN(const std::string text, FooterText(footer, key, what));
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    return Fail(ErrorCode::kCorrupt, "{}: {} is '{}'", what, key, Printable(text));
  return value;
}

}  // namespace armada
