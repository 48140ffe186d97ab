#include "data/parquet_commit_columns.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/util/bit_util.h>

#include "base/check.h"
#include "data/arrow_types.h"

namespace armada {
namespace {

using ArrayResult = Result<std::shared_ptr<arrow::Array>>;
using BufferResult = Result<std::shared_ptr<arrow::Buffer>>;
using ColumnResult = Result<std::shared_ptr<arrow::ChunkedArray>>;

std::unexpected<Error> EncodeFailure(const arrow::Status& status) {
  return ArrowFailure(status, "encode results", ErrorCode::kInternal);
}

BufferResult Allocate(int64_t bytes) {
  auto buffer = arrow::AllocateBuffer(bytes);
  if (!buffer.ok()) return EncodeFailure(buffer.status());
  return std::shared_ptr<arrow::Buffer>(std::move(*buffer));
}

// The faults of a piece's rows; a block's faults are in row order.
std::span<const RecordFault> FaultsOf(const BlockRows& piece) {
  const auto& faults = piece.block->faults;
  auto before = [](const RecordFault& fault, int64_t row) { return fault.row < row; };
  auto begin = std::lower_bound(faults.begin(), faults.end(), piece.first, before);
  auto end = std::lower_bound(begin, faults.end(), piece.first + piece.rows, before);
  return {begin, end};
}

// One bit a row, set where the record has predictions; null when all have.
BufferResult LiveBits(const CommitRows& rows) {
  if (rows.dead == 0) return std::shared_ptr<arrow::Buffer>();
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bits,
                   Allocate(arrow::bit_util::BytesForBits(rows.rows)));
  std::memset(bits->mutable_data(), 0xFF, static_cast<size_t>(bits->size()));
  int64_t start = 0;
  for (const BlockRows& piece : rows.pieces) {
    for (const RecordFault& fault : FaultsOf(piece))
      arrow::bit_util::ClearBit(bits->mutable_data(), start + fault.row - piece.first);
    start += piece.rows;
  }
  return bits;
}

// Collects the status of appends to a text column, so that they read as a list.
class TextColumn {
 public:
  void Reserve(int64_t rows, int64_t bytes) {
    Note(builder_.Reserve(rows));
    Note(builder_.ReserveData(bytes));
  }
  void AppendNulls(int64_t rows) { Note(builder_.AppendNulls(rows)); }
  void Append(std::string_view text) {
    Note(IsUtf8(text) ? builder_.Append(text) : builder_.Append(ToUtf8(text)));
  }

  // "prefix" with first, first + 1, … in decimal behind it. REQUIRES: the prefix is UTF-8.
  void AppendNumbered(const std::string& prefix, int64_t first, int64_t rows) {
    std::string text = prefix + fmt::format_int(first).c_str();
    const size_t longest = prefix.size() + fmt::format_int(first + rows).size();
    Reserve(rows, rows * static_cast<int64_t>(longest));
    for (int64_t i = 0; status_.ok() && i < rows; ++i) {
      builder_.UnsafeAppend(text);
      Increment(prefix.size(), &text);
    }
  }

  ArrayResult Finish() {
    std::shared_ptr<arrow::Array> array;
    if (status_.ok()) status_ = builder_.Finish(&array);
    if (!status_.ok()) return EncodeFailure(status_);
    return array;
  }

 private:
  void Note(const arrow::Status& status) {
    if (!status.ok()) status_ = status;
  }

  // Adds one to the decimal number that begins at `start`: ten times cheaper than printing it.
  static void Increment(size_t start, std::string* text) {
    for (size_t i = text->size(); i > start; --i) {
      char& digit = (*text)[i - 1];
      if (digit != '9') {
        ++digit;
        return;
      }
      digit = '0';
    }
    text->insert(start, 1, '1');
  }

  arrow::StringBuilder builder_;
  arrow::Status status_;
};

ArrayResult Ids(const std::string& uri, const CommitRows& rows) {
  const std::string prefix = ToUtf8(uri) + "#";
  TextColumn ids;
  const size_t digits = fmt::format_int(rows.pieces.back().block->hi).size();
  ids.Reserve(rows.rows, rows.rows * static_cast<int64_t>(prefix.size() + digits));
  for (const BlockRows& piece : rows.pieces) {
    const ResultBlock& block = *piece.block;
    if (block.ids.empty() && block.positions.empty()) {
      ids.AppendNumbered(prefix, block.lo + piece.first, piece.rows);
      continue;
    }
    for (int64_t row = piece.first; row < piece.first + piece.rows; ++row) {
      const auto i = static_cast<size_t>(row);
      if (block.ids.empty())
        ids.AppendNumbered(prefix, block.positions[i], 1);
      else
        ids.Append(block.ids[i]);
    }
  }
  return ids.Finish();
}

ArrayResult Errors(const CommitRows& rows) {
  TextColumn errors;
  for (const BlockRows& piece : rows.pieces) {
    int64_t row = piece.first;
    for (const RecordFault& fault : FaultsOf(piece)) {
      errors.AppendNulls(fault.row - row);
      errors.Append(fault.reason);
      row = fault.row + 1;
    }
    errors.AppendNulls(piece.first + piece.rows - row);
  }
  return errors.Finish();
}

// Calls visit(block, first, rows) for every run of rows: all of them, or the live ones only.
template <class Visit>
void ForEachRun(const CommitRows& rows, bool live_only, const Visit& visit) {
  for (const BlockRows& piece : rows.pieces) {
    int64_t row = piece.first;
    if (live_only)
      for (const RecordFault& fault : FaultsOf(piece)) {
        if (row < fault.row) visit(*piece.block, row, fault.row - row);
        row = fault.row + 1;
      }
    const int64_t end = piece.first + piece.rows;
    if (row < end) visit(*piece.block, row, end - row);
  }
}

// `width` values a row, out of values_of(block), one behind the other.
template <class T, class ValuesOf>
BufferResult Gather(const CommitRows& rows, bool live_only, int64_t width,
                    const ValuesOf& values_of) {
  const int64_t count = (live_only ? rows.rows - rows.dead : rows.rows) * width;
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, Allocate(count * int64_t{sizeof(T)}));
  T* to = reinterpret_cast<T*>(buffer->mutable_data());
  ForEachRun(rows, live_only, [&](const ResultBlock& block, int64_t first, int64_t n) {
    const std::vector<T>& values = values_of(block);
    CHECK(static_cast<int64_t>(values.size()) == block.rows * width);
    std::memcpy(to, values.data() + first * width, static_cast<size_t>(n * width) * sizeof(T));
    to += n * width;
  });
  return buffer;
}

// Lists of `width` values for the live rows of `values`, null for the dead.
ArrayResult Lists(const CommitRows& rows, int64_t width,
                  const std::shared_ptr<arrow::DataType>& type,
                  std::shared_ptr<arrow::Array> values) {
  if (values->length() > std::numeric_limits<int32_t>::max())
    return Fail(ErrorCode::kLimit, "encode results: more than 2^31 output values in one row group");
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> live, LiveBits(rows));
  std::vector<int32_t> ends(static_cast<size_t>(rows.rows) + 1);
  for (int64_t row = 0; row < rows.rows; ++row) {
    const bool is_live = live == nullptr || arrow::bit_util::GetBit(live->data(), row);
    ends[static_cast<size_t>(row) + 1] =
        ends[static_cast<size_t>(row)] + (is_live ? static_cast<int32_t>(width) : 0);
  }
  return std::make_shared<arrow::ListArray>(type, rows.rows,
                                            arrow::Buffer::FromVector(std::move(ends)),
                                            std::move(values), std::move(live), rows.dead);
}

template <class ValuesOf>
ArrayResult Floats(const CommitRows& rows, int64_t width, const arrow::Field& field,
                   const ValuesOf& values_of) {
  const bool lists = field.type()->id() == arrow::Type::LIST;
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> values,
                   Gather<float>(rows, lists, width, values_of));
  const int64_t count = values->size() / int64_t{sizeof(float)};
  if (lists)
    return Lists(rows, width, field.type(),
                 std::make_shared<arrow::FloatArray>(count, std::move(values)));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> live, LiveBits(rows));
  return std::make_shared<arrow::FloatArray>(count, std::move(values), std::move(live), rows.dead);
}

// Class numbers as they are, or as indices into the names: the writer then never hashes a text.
ArrayResult LabelValues(const OutputSchema& schema, int64_t count,
                        std::shared_ptr<arrow::Buffer> values, std::shared_ptr<arrow::Buffer> live,
                        int64_t nulls) {
  auto numbers =
      std::make_shared<arrow::Int32Array>(count, std::move(values), std::move(live), nulls);
  if (schema.label_names.empty()) return numbers;
  const auto names = static_cast<int32_t>(schema.label_names.size());
  for (int64_t i = 0; i < count; ++i)
    if (numbers->IsValid(i) && (numbers->Value(i) < 0 || numbers->Value(i) >= names))
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("the model answered class {}, but there are {} label names",
                                  numbers->Value(i), names),
                      "give postprocess.labels one line for each class of the model");
  TextColumn dictionary;
  for (const std::string& name : schema.label_names) dictionary.Append(name);
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> texts, dictionary.Finish());
  return std::make_shared<arrow::DictionaryArray>(arrow::dictionary(arrow::int32(), arrow::utf8()),
                                                  std::move(numbers), std::move(texts));
}

ArrayResult Labels(const OutputSchema& schema, const CommitRows& rows, const arrow::Field& field) {
  const bool lists = schema.top_k > 1;
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> numbers,
                   Gather<int32_t>(rows, lists, schema.top_k,
                                   [](const ResultBlock& block) -> auto& { return block.labels; }));
  const int64_t count = numbers->size() / int64_t{sizeof(int32_t)};
  if (!lists) {
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> live, LiveBits(rows));
    return LabelValues(schema, count, std::move(numbers), std::move(live), rows.dead);
  }
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> values,
                   LabelValues(schema, count, std::move(numbers), nullptr, 0));
  const auto type = arrow::list(arrow::field("element", values->type(), /*nullable=*/false));
  return Lists(rows, schema.top_k, type, std::move(values));
}

ColumnResult Kept(const OutputSchema& schema, const arrow::Field& field, const CommitRows& rows,
                  int column) {
  arrow::ArrayVector chunks;
  for (const BlockRows& piece : rows.pieces) {
    const arrow::RecordBatch* kept = piece.block->kept.get();
    CHECK(kept != nullptr && kept->num_columns() > column && kept->num_rows() == piece.block->rows);
    const std::shared_ptr<arrow::Array>& values = kept->column(column);
    if (!values->type()->Equals(field.type()))
      return Fail(ErrorCode::kInvalid,
                  "kept column '{}' has type {}, but the job was planned with {}", field.name(),
                  values->type()->ToString(), field.type()->ToString());
    chunks.push_back(values->Slice(piece.first, piece.rows));
  }
  return std::make_shared<arrow::ChunkedArray>(std::move(chunks), field.type());
}

std::shared_ptr<arrow::DataType> PredictionType(const std::shared_ptr<arrow::DataType>& value,
                                                bool lists) {
  return lists ? arrow::list(arrow::field("element", value, /*nullable=*/false)) : value;
}

}  // namespace

void CommitRows::Add(const BlockRows& piece) {
  pieces.push_back(piece);
  rows += piece.rows;
  dead += static_cast<int64_t>(FaultsOf(piece).size());
}

Result<std::shared_ptr<arrow::Schema>> CommitArrowSchema(const OutputSchema& schema) {
  arrow::FieldVector fields = {arrow::field("id", arrow::utf8(), /*nullable=*/false)};
  for (const OutputSchema::Kept& kept : schema.kept) {
    auto type = ParseArrowType(kept.type);
    if (!type) return Annotate(std::move(type).error(), "column '" + kept.name + "'");
    fields.push_back(arrow::field(kept.name, std::move(*type)));
  }
  if (schema.top_k > 0) {
    const bool lists = schema.top_k > 1;
    const auto label = schema.label_names.empty() ? arrow::int32() : arrow::utf8();
    fields.push_back(arrow::field(lists ? "labels" : "label", PredictionType(label, lists)));
    fields.push_back(
        arrow::field(lists ? "scores" : "score", PredictionType(arrow::float32(), lists)));
  } else {
    for (const OutputSchema::ModelOutput& output : schema.outputs)
      fields.push_back(
          arrow::field(output.name, PredictionType(arrow::float32(), output.elements > 1)));
  }
  fields.push_back(arrow::field("error", arrow::utf8()));
  return arrow::schema(std::move(fields));
}

ColumnResult BuildCommitColumn(const OutputSchema& schema, const arrow::Schema& arrow_schema,
                               const std::string& uri, const CommitRows& rows, int column) {
  auto build = [&]() -> ArrayResult {
    const arrow::Field& field = *arrow_schema.field(column);
    const int prediction = column - 1 - static_cast<int>(schema.kept.size());
    if (column == 0) return Ids(uri, rows);
    if (column == arrow_schema.num_fields() - 1) return Errors(rows);
    if (schema.top_k > 0 && prediction == 0) return Labels(schema, rows, field);
    if (schema.top_k > 0)
      return Floats(rows, schema.top_k, field,
                    [](const ResultBlock& block) -> auto& { return block.scores; });
    const auto i = static_cast<size_t>(prediction);
    return Floats(rows, schema.outputs[i].elements, field,
                  [i](const ResultBlock& block) -> auto& { return block.outputs.at(i); });
  };
  if (column >= 1 && column <= static_cast<int>(schema.kept.size()))
    return Kept(schema, *arrow_schema.field(column), rows, column - 1);
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array, build());
  return std::make_shared<arrow::ChunkedArray>(std::move(array));
}

}  // namespace armada
