#include "data/parquet_plan.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>

#include "base/check.h"
#include "base/text.h"
#include "data/arrow_types.h"
#include "data/parquet_file.h"
#include "data/parquet_footer.h"

namespace armada {
namespace {

constexpr std::string_view kWhat = "not a part of this job's plan";
constexpr int64_t kRowGroupRows = 128 << 10;
constexpr int64_t kFileBytes = 48;  // three numbers, the lengths of path and ETag, and levels
constexpr int64_t kRowBytes =
    72;  // seven numbers, lengths of path and ETag, and some for the pages

// A file of a run.
std::shared_ptr<arrow::DataType> FileType() {
  return arrow::struct_(
      {arrow::field("path", arrow::binary(), false), arrow::field("size", arrow::int64(), false),
       arrow::field("mtime_ns", arrow::int64(), false),
       arrow::field("inode", arrow::uint64(), false), arrow::field("etag", arrow::utf8(), false)});
}

// Paths are bytes, not always UTF-8.
std::shared_ptr<arrow::Schema> PlanSchema() {
  return arrow::schema(
      {arrow::field("shard", arrow::int64(), false), arrow::field("path", arrow::binary(), false),
       arrow::field("begin", arrow::int64(), false), arrow::field("end", arrow::int64(), false),
       arrow::field("size", arrow::int64(), false), arrow::field("mtime_ns", arrow::int64(), false),
       arrow::field("inode", arrow::uint64(), false), arrow::field("etag", arrow::utf8(), false),
       arrow::field("files", arrow::list(arrow::field("file", FileType(), false)), false)});
}

enum Column { kShard, kPath, kBegin, kEnd, kSize, kMtime, kInode, kEtag, kFiles };

template <class Builder, class Get>
arrow::Result<std::shared_ptr<arrow::Array>> Build(const std::vector<PlannedShard>& shards,
                                                   Get get) {
  Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(shards.size())));
  for (const PlannedShard& shard : shards) ARROW_RETURN_NOT_OK(builder.Append(get(shard)));
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> BuildFiles(const std::vector<PlannedShard>& shards) {
  auto paths = std::make_shared<arrow::BinaryBuilder>();
  auto sizes = std::make_shared<arrow::Int64Builder>();
  auto mtimes = std::make_shared<arrow::Int64Builder>();
  auto inodes = std::make_shared<arrow::UInt64Builder>();
  auto etags = std::make_shared<arrow::StringBuilder>();
  auto files = std::make_shared<arrow::StructBuilder>(
      FileType(), arrow::default_memory_pool(),
      std::vector<std::shared_ptr<arrow::ArrayBuilder>>{paths, sizes, mtimes, inodes, etags});
  arrow::ListBuilder lists(arrow::default_memory_pool(), files,
                           PlanSchema()->field(kFiles)->type());
  for (const PlannedShard& shard : shards) {
    ARROW_RETURN_NOT_OK(lists.Append());
    for (const PinnedFile& file : shard.input.files) {
      ARROW_RETURN_NOT_OK(files->Append());
      ARROW_RETURN_NOT_OK(paths->Append(file.path));
      ARROW_RETURN_NOT_OK(sizes->Append(file.stamp.size_bytes));
      ARROW_RETURN_NOT_OK(mtimes->Append(file.stamp.mtime_ns));
      ARROW_RETURN_NOT_OK(inodes->Append(file.stamp.inode));
      ARROW_RETURN_NOT_OK(etags->Append(file.stamp.etag));
    }
  }
  return lists.Finish();
}

arrow::Result<std::shared_ptr<arrow::Table>> PlanTable(const std::vector<PlannedShard>& shards) {
  using Int = arrow::Int64Builder;
  using Row = const PlannedShard&;
  arrow::ArrayVector columns(kFiles + 1);
  ARROW_ASSIGN_OR_RAISE(columns[kShard], Build<Int>(shards, [](Row row) { return row.shard; }));
  ARROW_ASSIGN_OR_RAISE(
      columns[kPath], Build<arrow::BinaryBuilder>(shards, [](Row row) { return row.input.path; }));
  ARROW_ASSIGN_OR_RAISE(columns[kBegin],
                        Build<Int>(shards, [](Row row) { return row.input.begin; }));
  ARROW_ASSIGN_OR_RAISE(columns[kEnd], Build<Int>(shards, [](Row row) { return row.input.end; }));
  ARROW_ASSIGN_OR_RAISE(columns[kSize],
                        Build<Int>(shards, [](Row row) { return row.input.stamp.size_bytes; }));
  ARROW_ASSIGN_OR_RAISE(columns[kMtime],
                        Build<Int>(shards, [](Row row) { return row.input.stamp.mtime_ns; }));
  ARROW_ASSIGN_OR_RAISE(columns[kInode], Build<arrow::UInt64Builder>(shards, [](Row row) {
                          return row.input.stamp.inode;
                        }));
  ARROW_ASSIGN_OR_RAISE(columns[kEtag], Build<arrow::StringBuilder>(
                                            shards, [](Row row) { return row.input.stamp.etag; }));
  ARROW_ASSIGN_OR_RAISE(columns[kFiles], BuildFiles(shards));
  return arrow::Table::Make(PlanSchema(), columns);
}

std::unexpected<Error> Corrupt(std::string_view why) {
  return Fail(ErrorCode::kCorrupt, "{}: {}", kWhat, why);
}

Result<bool> FooterFlag(const parquet::FileMetaData& footer, const char* key) {
  ASSIGN_OR_RETURN(const int64_t value, FooterInt(footer, key, kWhat));
  if (value > 1) return Corrupt(fmt::format("{} is '{}'", key, value));
  return value == 1;
}

Result<PlanPartFacts> FactsOf(const parquet::FileMetaData& footer, std::string_view job_id,
                              int64_t first_shard) {
  PlanPartFacts facts;
  ASSIGN_OR_RETURN(facts.job_id, FooterText(footer, "armada.plan.job", kWhat));
  ASSIGN_OR_RETURN(facts.first_shard, FooterInt(footer, "armada.plan.first_shard", kWhat));
  ASSIGN_OR_RETURN(facts.next_shard, FooterInt(footer, "armada.plan.next_shard", kWhat));
  ASSIGN_OR_RETURN(facts.last, FooterFlag(footer, "armada.plan.last"));
  ASSIGN_OR_RETURN(facts.resume_after, FooterText(footer, "armada.plan.resume_after", kWhat));
  ASSIGN_OR_RETURN(facts.resume_key, FooterText(footer, "armada.plan.resume_key", kWhat));
  ASSIGN_OR_RETURN(facts.resume_begin, FooterInt(footer, "armada.plan.resume_begin", kWhat));
  ASSIGN_OR_RETURN(facts.files, FooterInt(footer, "armada.plan.files", kWhat));
  ASSIGN_OR_RETURN(facts.skipped_files, FooterInt(footer, "armada.plan.skipped_files", kWhat));
  ASSIGN_OR_RETURN(facts.records, FooterInt(footer, "armada.plan.records", kWhat));
  ASSIGN_OR_RETURN(facts.records_known, FooterFlag(footer, "armada.plan.records_known"));
  if (facts.job_id != job_id)
    return Corrupt(fmt::format("it is job {}'s", Printable(facts.job_id)));
  if (facts.first_shard != first_shard)
    return Corrupt(fmt::format("it begins at shard {}", facts.first_shard));
  if (facts.next_shard - facts.first_shard != footer.num_rows())
    return Corrupt(fmt::format("it says shards {} to {} and holds {}", facts.first_shard,
                               facts.next_shard, footer.num_rows()));
  if (!facts.last && footer.num_rows() == 0) return Corrupt("it is empty and not the last");
  return facts;
}

ParquetFacts ToParquetFacts(const PlanPartFacts& facts) {
  const auto flag = [](bool value) { return std::string(value ? "1" : "0"); };
  return {{"armada.plan.job", facts.job_id},
          {"armada.plan.first_shard", std::to_string(facts.first_shard)},
          {"armada.plan.next_shard", std::to_string(facts.next_shard)},
          {"armada.plan.last", flag(facts.last)},
          {"armada.plan.resume_after", facts.resume_after},
          {"armada.plan.resume_key", facts.resume_key},
          {"armada.plan.resume_begin", std::to_string(facts.resume_begin)},
          {"armada.plan.files", std::to_string(facts.files)},
          {"armada.plan.skipped_files", std::to_string(facts.skipped_files)},
          {"armada.plan.records", std::to_string(facts.records)},
          {"armada.plan.records_known", flag(facts.records_known)}};
}

// The files of the run in `row`; empty when it is none.
std::vector<PinnedFile> FilesOf(const arrow::ListArray& lists, int64_t row) {
  const auto& structs = static_cast<const arrow::StructArray&>(*lists.values());
  const auto& paths = static_cast<const arrow::BinaryArray&>(*structs.field(0));
  const auto& sizes = static_cast<const arrow::Int64Array&>(*structs.field(1));
  const auto& mtimes = static_cast<const arrow::Int64Array&>(*structs.field(2));
  const auto& inodes = static_cast<const arrow::UInt64Array&>(*structs.field(3));
  const auto& etags = static_cast<const arrow::StringArray&>(*structs.field(4));
  std::vector<PinnedFile> files;
  files.reserve(static_cast<size_t>(lists.value_length(row)));
  for (int64_t i = lists.value_offset(row); i < lists.value_offset(row + 1); ++i)
    files.push_back({.path = paths.GetString(i),
                     .stamp = {.size_bytes = sizes.Value(i),
                               .mtime_ns = mtimes.Value(i),
                               .inode = inodes.Value(i),
                               .etag = etags.GetString(i)}});
  return files;
}

const int64_t* Ints(const arrow::RecordBatch& batch, int column) {
  return static_cast<const arrow::Int64Array&>(*batch.column(column)).raw_values();
}

Status CheckBounds(const ShardBounds& bounds, int64_t first_shard, int64_t row) {
  if (bounds.shard != first_shard + row)
    return Corrupt(fmt::format("row {} is shard {}", row, bounds.shard));
  if (bounds.begin < 0 || bounds.begin >= bounds.end)
    return Corrupt(fmt::format("shard {} is [{}, {})", bounds.shard, bounds.begin, bounds.end));
  return {};
}

// REQUIRES: the batch has PlanSchema().
Status AppendShards(const arrow::RecordBatch& batch, PlanPart* part) {
  const auto& paths = static_cast<const arrow::BinaryArray&>(*batch.column(kPath));
  const auto& inodes = static_cast<const arrow::UInt64Array&>(*batch.column(kInode));
  const auto& etags = static_cast<const arrow::StringArray&>(*batch.column(kEtag));
  const auto& lists = static_cast<const arrow::ListArray&>(*batch.column(kFiles));
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    const ShardBounds bounds{Ints(batch, kShard)[row], Ints(batch, kBegin)[row],
                             Ints(batch, kEnd)[row]};
    RETURN_IF_ERROR(CheckBounds(bounds, part->facts.first_shard, row));
    part->shards.push_back({.shard = bounds.shard,
                            .input = {.path = paths.GetString(row),
                                      .stamp = {.size_bytes = Ints(batch, kSize)[row],
                                                .mtime_ns = Ints(batch, kMtime)[row],
                                                .inode = inodes.Value(row),
                                                .etag = etags.GetString(row)},
                                      .begin = bounds.begin,
                                      .end = bounds.end,
                                      .files = FilesOf(lists, row)}});
    const auto files = static_cast<int64_t>(part->shards.back().input.files.size());
    if (files > 0 && (bounds.begin != 0 || bounds.end != files))
      return Corrupt(fmt::format("shard {} is [{}, {}) of a run of {} files", bounds.shard,
                                 bounds.begin, bounds.end, files));
  }
  return {};
}

}  // namespace

int64_t PinnedFileBytes(const PinnedFile& file) {
  return kFileBytes + static_cast<int64_t>(file.path.size() + file.stamp.etag.size());
}

int64_t PlannedShardBytes(const PlannedShard& shard) {
  int64_t bytes =
      kRowBytes + static_cast<int64_t>(shard.input.path.size() + shard.input.stamp.etag.size());
  for (const PinnedFile& file : shard.input.files) bytes += PinnedFileBytes(file);
  return bytes;
}

Result<std::string> EncodePlanPart(const PlanPart& part) {
  const auto count = static_cast<int64_t>(part.shards.size());
  CHECK(part.facts.next_shard == part.facts.first_shard + count);
  auto table = PlanTable(part.shards);
  if (!table.ok()) return ArrowFailure(table.status(), "write the plan", ErrorCode::kInternal);
  return EncodeParquet(**table, ToParquetFacts(part.facts), kRowGroupRows);
}

namespace {

// The part's columns, as `use` takes them.
template <class Use>
Status ReadPart(std::string_view bytes, std::string_view job_id, int64_t first_shard,
                const std::vector<int>& leaves, PlanPartFacts* facts, Use use) {
  ASSIGN_OR_RETURN(
      const auto reader,
      OpenParquet(std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(bytes)),
                  kWhat, kRowGroupRows, ErrorCode::kCorrupt));
  try {
    ASSIGN_OR_RETURN(*facts, FactsOf(*reader->parquet_reader()->metadata(), job_id, first_shard));
    std::shared_ptr<arrow::Schema> schema;
    if (auto status = reader->GetSchema(&schema); !status.ok())
      return ArrowFailure(status, kWhat, ErrorCode::kCorrupt);
    if (!schema->Equals(*PlanSchema(), /*check_metadata=*/false))
      return Corrupt("its columns are others");
    auto table = leaves.empty() ? reader->ReadTable() : reader->ReadTable(leaves);
    if (!table.ok()) return ArrowFailure(table.status(), kWhat, ErrorCode::kCorrupt);
    if ((*table)->num_rows() != facts->next_shard - facts->first_shard)
      return Corrupt(fmt::format("it holds {} rows", (*table)->num_rows()));
    auto batch = (*table)->CombineChunksToBatch();
    if (!batch.ok()) return ArrowFailure(batch.status(), kWhat, ErrorCode::kCorrupt);
    if (auto valid = (*batch)->ValidateFull(); !valid.ok())
      return ArrowFailure(valid, kWhat, ErrorCode::kCorrupt);
    for (int column = 0; column < (*batch)->num_columns(); ++column)
      if ((*batch)->column(column)->null_count() > 0)
        return Corrupt(
            fmt::format("{} is null somewhere", (*batch)->schema()->field(column)->name()));
    return use(**batch);
  } catch (const std::exception& e) {
    return Corrupt(Printable(e.what()));
  }
}

}  // namespace

Result<PlanPart> DecodePlanPart(std::string_view bytes, std::string_view job_id,
                                int64_t first_shard) {
  PlanPart part;
  RETURN_IF_ERROR(
      ReadPart(bytes, job_id, first_shard, {}, &part.facts,
               [&](const arrow::RecordBatch& batch) { return AppendShards(batch, &part); }));
  return part;
}

Result<std::vector<ShardBounds>> DecodePlanBounds(std::string_view bytes, std::string_view job_id,
                                                  int64_t first_shard) {
  PlanPartFacts facts;
  std::vector<ShardBounds> bounds;
  const auto append = [&](const arrow::RecordBatch& batch) -> Status {
    bounds.reserve(static_cast<size_t>(batch.num_rows()));
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      bounds.push_back({Ints(batch, 0)[row], Ints(batch, 1)[row], Ints(batch, 2)[row]});
      RETURN_IF_ERROR(CheckBounds(bounds.back(), first_shard, row));
    }
    return {};
  };
  // The first columns are leaves, with their own numbers.
  RETURN_IF_ERROR(ReadPart(bytes, job_id, first_shard, {kShard, kBegin, kEnd}, &facts, append));
  return bounds;
}

Result<PlanPartFacts> ReadPlanPartFacts(std::string_view suffix, int64_t object_bytes,
                                        std::string_view job_id, int64_t first_shard,
                                        int64_t* needed_bytes) {
  ASSIGN_OR_RETURN(const auto footer, ReadFooter(suffix, object_bytes, kWhat, needed_bytes));
  return FactsOf(*footer, job_id, first_shard);
}

}  // namespace armada
