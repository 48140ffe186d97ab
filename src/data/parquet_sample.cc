#include "data/parquet_sample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/util/byte_size.h>

#include "base/text.h"
#include "data/arrow_cells.h"
#include "data/arrow_types.h"
#include "data/element.h"
#include "data/parquet_features.h"
#include "data/parquet_file.h"

namespace armada {
namespace {

constexpr const char* kId = "id";
constexpr const char* kInput = "input";
constexpr const char* kExpected = "expected";
constexpr const char* kRemedy = "write it with python/armada_parity.py, as docs/parity.md shows";

std::unexpected<Error> Wrong(std::string_view name, std::string_view what) {
  return FailWith(ErrorCode::kInvalid, fmt::format("{}: {}", name, what), kRemedy);
}

// The parity sample's own remedy instead of what helps where an input is wrong.
std::unexpected<Error> OfSample(Error error) {
  error.remedy = kRemedy;
  return std::unexpected(std::move(error));
}

std::string RowName(int64_t row, const std::string& id) {
  return fmt::format("row {} ('{}')", row, Printable(id));
}

// Where the sample's columns are.
struct SampleColumns {
  ParquetColumns records;                // pictures or features, and the id
  std::vector<ParquetColumns> expected;  // one an output
};

bool IsList(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST;
}

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id());
}

// Values in a row's list; 1 for a column of single numbers, -1 for a null.
int64_t LengthAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return -1;
  switch (array.type_id()) {
    case arrow::Type::LIST:
      return static_cast<const arrow::ListArray&>(array).value_length(row);
    case arrow::Type::LARGE_LIST:
      return static_cast<const arrow::LargeListArray&>(array).value_length(row);
    case arrow::Type::FIXED_SIZE_LIST:
      return static_cast<const arrow::FixedSizeListArray&>(array).value_length(row);
    default:
      return 1;
  }
}

std::string ExpectedNames(const std::vector<SampleOutput>& outputs) {
  std::string names;
  for (const SampleOutput& output : outputs)
    names += fmt::format("{}'{}.{}'", names.empty() ? "" : ", ", kExpected, Printable(output.name));
  return names;
}

Result<std::shared_ptr<arrow::Field>> ExpectedField(const arrow::Schema& schema,
                                                    const std::vector<SampleOutput>& outputs,
                                                    const SampleOutput& output,
                                                    std::string_view name) {
  auto field = schema.GetFieldByName(fmt::format("{}.{}", kExpected, output.name));
  if (field == nullptr && outputs.size() == 1) field = schema.GetFieldByName(kExpected);
  if (field == nullptr)
    return Wrong(name, outputs.size() == 1
                           ? fmt::format("it has no column '{}' (or two)", kExpected)
                           : fmt::format("it has no column '{}.{}' (or two); the job writes {} "
                                         "outputs, and the sample needs {}",
                                         kExpected, Printable(output.name), outputs.size(),
                                         ExpectedNames(outputs)));
  const bool numbers =
      IsNumber(*field->type()) ||
      (IsList(*field->type()) &&
       IsNumber(*static_cast<const arrow::BaseListType&>(*field->type()).value_type()));
  if (!numbers)
    return Wrong(name, fmt::format("column '{}' is {}, no lists of numbers",
                                   Printable(field->name()), Printable(field->type()->ToString())));
  return field;
}

Result<SampleColumns> Choose(const arrow::Schema& schema, std::string_view name,
                             const InputSpec& input, const std::vector<SampleOutput>& outputs) {
  SampleColumns chosen;
  arrow::FieldVector others;  // what may be features
  for (const auto& field : schema.fields())
    if (field->name() != kExpected && !field->name().starts_with(fmt::format("{}.", kExpected)))
      others.push_back(field);
  for (const SampleOutput& output : outputs) {
    ASSIGN_OR_RETURN(auto field, ExpectedField(schema, outputs, output, name));
    chosen.expected.push_back(
        {.features = {std::move(field)}, .picture = nullptr, .id = nullptr, .kept = {}});
  }
  InputSpec wanted;
  wanted.record_shape = input.record_shape;
  if (schema.GetFieldByName(kId) != nullptr) wanted.id = kId;
  const auto whole = schema.GetFieldByName(kInput);
  if (input.picture)
    wanted.column = kInput;
  else if (whole != nullptr && IsList(*whole->type()))
    wanted.columns = {kInput};
  else
    wanted.columns = input.columns;
  auto records = ChooseColumns(arrow::Schema(others), wanted, name);
  if (!records) return OfSample(std::move(records).error());
  chosen.records = std::move(*records);
  return chosen;
}

// IDX pixels go into the model as bytes, and so must the sample's.
Status ToBytes(std::string_view name, int64_t first_row, int64_t elements, Batch* batch) {
  const auto count = static_cast<size_t>(batch->rows * elements);
  const std::span<const float> values(reinterpret_cast<const float*>(batch->features), count);
  auto bytes = std::make_shared<std::vector<std::byte>>(count);
  for (size_t i = 0; i < count; ++i) {
    const float value = values[i];
    if (!(value >= 0 && value <= 255) || value != std::floor(value)) {
      const auto row = static_cast<int64_t>(i) / elements;
      return Wrong(
          name, fmt::format("{}: its input has a {}, the job's records are whole numbers "
                            "from 0 to 255",
                            RowName(first_row + row, batch->ids[static_cast<size_t>(row)]), value));
    }
    (*bytes)[i] = static_cast<std::byte>(value);
  }
  batch->features = bytes->data();
  batch->features_owner = std::move(bytes);
  return {};
}

class SampleReader {
 public:
  SampleReader(std::string_view name, const InputSpec& input,
               const std::vector<SampleOutput>& outputs, SampleColumns columns, int64_t max_bytes)
      : name_(name),
        input_(input),
        outputs_(outputs),
        columns_(std::move(columns)),
        max_bytes_(max_bytes) {
    sample_.expected.resize(outputs.size());
  }

  Status Add(const std::shared_ptr<arrow::RecordBatch>& rows) {
    bytes_ += arrow::util::TotalBufferSize(*rows);
    if (bytes_ > max_bytes_)
      return Wrong(name_, fmt::format("more than {} once it is unpacked; some hundred records "
                                      "are enough",
                                      HumanBytes(max_bytes_)));
    // A batch of Arrow's may be longer than asked for.
    for (int64_t at = 0; at < rows->num_rows(); at += kSampleBatchRows)
      RETURN_IF_ERROR(AddBatch(rows->Slice(at, kSampleBatchRows)));
    return {};
  }

  ParitySample Take() { return std::move(sample_); }

 private:
  Status AddBatch(const std::shared_ptr<arrow::RecordBatch>& rows) {
    Batch batch{.lo = sample_.rows, .hi = sample_.rows + rows->num_rows()};
    batch.rows = rows->num_rows();
    RETURN_IF_ERROR(FillIds(*rows, &batch));
    RETURN_IF_ERROR(FillRecords(rows, &batch));
    for (size_t i = 0; i < outputs_.size(); ++i) RETURN_IF_ERROR(FillExpected(*rows, batch, i));
    sample_.rows += batch.rows;
    sample_.batches.push_back(std::move(batch));
    return {};
  }

  Status FillIds(const arrow::RecordBatch& rows, Batch* batch) const {
    std::shared_ptr<arrow::Array> ids;
    if (columns_.records.id != nullptr) {
      ASSIGN_OR_RETURN(ids, PlainArray(rows.GetColumnByName(kId), name_));
    }
    for (int64_t row = 0; row < batch->rows; ++row)
      batch->ids.push_back(ids == nullptr || ids->IsNull(row) ? fmt::format("#{}", batch->lo + row)
                                                              : TextAt(*ids, row));
    return {};
  }

  Status FillRecords(const std::shared_ptr<arrow::RecordBatch>& rows, Batch* batch) const {
    if (input_.picture) {
      ASSIGN_OR_RETURN(batch->payload, PicturesOf(columns_.records, rows, name_));
      return {};
    }
    int64_t elements = 1;
    for (const int64_t size : input_.record_shape) elements *= size;
    auto values = std::make_shared<std::vector<float>>(static_cast<size_t>(batch->rows * elements));
    std::vector<RecordFault> faults;
    FillFeatures(columns_.records, *rows, elements, *values, &faults);
    if (!faults.empty())
      return Wrong(name_, fmt::format("{}: {}", Name(*batch, faults[0].row), faults[0].reason));
    batch->features = reinterpret_cast<const std::byte*>(values->data());
    batch->features_owner = std::move(values);
    if (input_.element != ElementType::kU8) return {};
    return ToBytes(name_, batch->lo, elements, batch);
  }

  Status FillExpected(const arrow::RecordBatch& rows, const Batch& batch, size_t output) {
    const ParquetColumns& columns = columns_.expected[output];
    const std::string& column = columns.features[0]->name();
    const int64_t elements = outputs_[output].elements;
    const auto array = rows.GetColumnByName(column);
    for (int64_t row = 0; row < batch.rows; ++row)
      if (const int64_t length = LengthAt(*array, row); length != elements)
        return Wrong(name_,
                     fmt::format("{}: '{}' {}, the model's output '{}' has {}", Name(batch, row),
                                 Printable(column),
                                 length < 0 ? "is null" : fmt::format("has {} values", length),
                                 Printable(outputs_[output].name), elements));
    std::vector<float>& into = sample_.expected[output];
    const size_t before = into.size();
    into.resize(before + static_cast<size_t>(batch.rows * elements));
    const std::span<float> values = std::span(into).subspan(before);
    std::vector<RecordFault> faults;
    FillFeatures(columns, rows, elements, values, &faults);
    if (!faults.empty())
      return Wrong(name_, fmt::format("{}: {}", Name(batch, faults[0].row), faults[0].reason));
    const auto bad = std::ranges::find_if(values, [](float x) { return !std::isfinite(x); });
    if (bad == values.end()) return {};
    const int64_t at = bad - values.begin();
    return Wrong(name_,
                 fmt::format("{}: value {} of '{}' is {}: compare with predictions that "
                             "are finite",
                             Name(batch, at / elements), at % elements, Printable(column), *bad));
  }

  std::string Name(const Batch& batch, int64_t row) const {
    return RowName(batch.lo + row, batch.ids[static_cast<size_t>(row)]);
  }

  const std::string_view name_;
  const InputSpec& input_;
  const std::vector<SampleOutput>& outputs_;
  const SampleColumns columns_;
  const int64_t max_bytes_;
  ParitySample sample_;
  int64_t bytes_ = 0;
};

std::vector<int> Positions(const parquet::arrow::FileReader& reader, const SampleColumns& columns) {
  std::vector<int> positions;
  for (const auto& field : columns.records.All())
    positions.push_back(FindColumn(reader, field->name()));
  for (const ParquetColumns& expected : columns.expected)
    positions.push_back(FindColumn(reader, expected.features[0]->name()));
  std::ranges::sort(positions);
  positions.erase(std::ranges::unique(positions).begin(), positions.end());
  return positions;
}

}  // namespace

Result<ParitySample> ReadParitySample(std::string_view file, std::string_view name,
                                      const InputSpec& input,
                                      const std::vector<SampleOutput>& outputs,
                                      int64_t max_unpacked_bytes) {
  const std::string damaged = fmt::format("{}: no readable Parquet file", name);
  auto bytes = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(file));
  auto opened = OpenParquet(bytes, damaged, kSampleBatchRows, ErrorCode::kInvalid);
  if (!opened) return OfSample(std::move(opened).error());
  const auto& reader = *opened;
  std::shared_ptr<arrow::Schema> schema;
  if (const auto status = reader->GetSchema(&schema); !status.ok())
    return ArrowFailure(status, damaged, ErrorCode::kInvalid);
  const int64_t rows = reader->parquet_reader()->metadata()->num_rows();
  if (rows < 1) return Wrong(name, "it has no rows");
  if (rows > kMaxSampleRows)
    return Wrong(name, fmt::format("{} rows are more than {}; some hundred are enough",
                                   WithThousands(rows), WithThousands(kMaxSampleRows)));
  ASSIGN_OR_RETURN(SampleColumns columns, Choose(*schema, name, input, outputs));
  const std::vector<int> positions = Positions(*reader, columns);
  std::vector<int> groups(static_cast<size_t>(reader->num_row_groups()));
  std::iota(groups.begin(), groups.end(), 0);
  ASSIGN_OR_RETURN(auto batches, ReadColumns(*reader, std::move(groups), positions, damaged,
                                             ErrorCode::kInvalid));
  SampleReader sample(name, input, outputs, std::move(columns), max_unpacked_bytes);
  for (int64_t read = 0; read < rows;) {
    auto batch = NextBatch(*batches, damaged, ErrorCode::kInvalid);
    if (!batch) return OfSample(std::move(batch).error());
    if (*batch == nullptr)
      return Wrong(damaged, fmt::format("it ends at row {} of {}", read, rows));
    RETURN_IF_ERROR(sample.Add(*batch));
    read += (*batch)->num_rows();
  }
  return sample.Take();
}

}  // namespace armada
