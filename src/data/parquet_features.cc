#include "data/parquet_features.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type_traits.h>
#include <arrow/util/float16.h>
#include <arrow/visit_type_inline.h>

#include "base/check.h"
#include "base/text.h"
#include "data/arrow_types.h"
#include "data/idx_format.h"

namespace armada {
namespace {

constexpr size_t kListedColumns = 20;  // in messages

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         type.id() == arrow::Type::BOOL;
}

bool IsListType(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST;
}

bool IsNumberList(const arrow::DataType& type) {
  return IsListType(type) && IsNumber(*static_cast<const arrow::BaseListType&>(type).value_type());
}

// "x: double, y: int32, name: string".
std::string Listed(const arrow::Schema& schema) {
  std::string text;
  const auto& fields = schema.fields();
  for (size_t i = 0; i < std::min(fields.size(), kListedColumns); ++i)
    text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", fields[i]->name(),
                        fields[i]->type()->ToString());
  if (fields.size() > kListedColumns)
    text += fmt::format(" and {} more", fields.size() - kListedColumns);
  return Printable(text);
}

std::unexpected<Error> Misfit(const arrow::Schema& schema, std::string_view file,
                              const std::string& what) {
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: {}; the file has {}", file, what, Listed(schema)),
                  "name the model's columns in input.columns, in its order");
}

Result<std::shared_ptr<arrow::Field>> FieldNamed(const arrow::Schema& schema,
                                                 const std::string& name, std::string_view file) {
  if (auto field = schema.GetFieldByName(name)) return field;
  return Misfit(schema, file, fmt::format("no column '{}' (or two)", Printable(name)));
}

int64_t ElementsOf(const std::vector<int64_t>& shape) {
  int64_t elements = 1;
  for (const int64_t size : shape) elements *= size;
  return elements;
}

arrow::FieldVector AllFeatures(const arrow::Schema& schema, const InputSpec& spec,
                               int64_t elements) {
  arrow::FieldVector numbers;
  arrow::FieldVector lists;
  for (const auto& field : schema.fields()) {
    const bool other =
        field->name() == spec.id || std::ranges::find(spec.keep, field->name()) != spec.keep.end();
    if (!other && IsNumber(*field->type())) numbers.push_back(field);
    if (!other && IsNumberList(*field->type())) lists.push_back(field);
  }
  return static_cast<int64_t>(numbers.size()) != elements && lists.size() == 1 ? lists : numbers;
}

// Writes values [start, start + rows) of a numeric array to into[0], into[stride], …
struct Writer {
  const arrow::Array& array;
  int64_t start;
  int64_t rows;
  int64_t stride;
  float* into;

  template <class Type>
  arrow::Status Visit(const Type&) {
    if constexpr (std::is_same_v<Type, arrow::BooleanType>) {
      const auto& values = static_cast<const arrow::BooleanArray&>(array);
      for (int64_t i = 0; i < rows; ++i) into[i * stride] = values.Value(start + i) ? 1 : 0;
      return arrow::Status::OK();
    } else if constexpr (std::is_same_v<Type, arrow::HalfFloatType>) {
      const auto& values = static_cast<const arrow::HalfFloatArray&>(array);
      for (int64_t i = 0; i < rows; ++i)
        into[i * stride] = arrow::util::Float16::FromBits(values.Value(start + i)).ToFloat();
      return arrow::Status::OK();
    } else if constexpr (arrow::is_number_type<Type>::value) {
      const auto* values =
          static_cast<const arrow::NumericArray<Type>&>(array).raw_values() + start;
      for (int64_t i = 0; i < rows; ++i) into[i * stride] = static_cast<float>(values[i]);
      return arrow::Status::OK();
    } else {
      return arrow::Status::TypeError("not a number");
    }
  }
};

void Write(const arrow::Array& array, int64_t start, int64_t rows, int64_t stride, float* into) {
  Writer writer{.array = array, .start = start, .rows = rows, .stride = stride, .into = into};
  CHECK(arrow::VisitTypeInline(*array.type(), &writer).ok());
}

void FillFromScalars(const ParquetColumns& columns, const arrow::RecordBatch& batch,
                     std::span<float> into, std::vector<RecordFault>* faults) {
  const auto width = static_cast<int64_t>(columns.features.size());
  const int64_t rows = batch.num_rows();
  std::vector<int64_t> null_column;  // of each row the first one; width: none
  for (int64_t column = 0; column < width; ++column) {
    const auto values =
        batch.GetColumnByName(columns.features[static_cast<size_t>(column)]->name());
    Write(*values, 0, rows, width, into.data() + column);
    if (values->null_count() == 0) continue;
    null_column.resize(static_cast<size_t>(rows), width);
    for (int64_t row = 0; row < rows; ++row)
      if (values->IsNull(row))
        null_column[static_cast<size_t>(row)] =
            std::min(null_column[static_cast<size_t>(row)], column);
  }
  for (size_t row = 0; row < null_column.size(); ++row) {
    if (null_column[row] == width) continue;
    const auto& field = columns.features[static_cast<size_t>(null_column[row])];
    faults->push_back({.row = static_cast<int64_t>(row),
                       .reason = fmt::format("column '{}' is null", Printable(field->name()))});
    std::ranges::fill(into.subspan(row * static_cast<size_t>(width), static_cast<size_t>(width)),
                      0.0F);
  }
}

// A row's list as a range of the values; nothing when the row is null.
std::optional<std::pair<int64_t, int64_t>> ListAt(const arrow::Array& lists, int64_t row) {
  if (lists.IsNull(row)) return std::nullopt;
  auto range = [&](const auto& array) {
    return std::pair<int64_t, int64_t>(array.value_offset(row), array.value_length(row));
  };
  if (lists.type_id() == arrow::Type::LIST)
    return range(static_cast<const arrow::ListArray&>(lists));
  if (lists.type_id() == arrow::Type::LARGE_LIST)
    return range(static_cast<const arrow::LargeListArray&>(lists));
  return range(static_cast<const arrow::FixedSizeListArray&>(lists));
}

const arrow::Array& ListValues(const arrow::Array& lists) {
  if (lists.type_id() == arrow::Type::LIST)
    return *static_cast<const arrow::ListArray&>(lists).values();
  if (lists.type_id() == arrow::Type::LARGE_LIST)
    return *static_cast<const arrow::LargeListArray&>(lists).values();
  return *static_cast<const arrow::FixedSizeListArray&>(lists).values();
}

void FillFromLists(const arrow::Field& field, const arrow::Array& lists, int64_t elements,
                   std::span<float> into, std::vector<RecordFault>* faults) {
  const arrow::Array& values = ListValues(lists);
  const bool with_nulls = values.null_count() > 0;
  for (int64_t row = 0; row < lists.length(); ++row) {
    const std::span<float> record =
        into.subspan(static_cast<size_t>(row * elements), static_cast<size_t>(elements));
    const auto list = ListAt(lists, row);
    std::string reason;
    if (!list) {
      reason = "is null";
    } else if (list->second != elements) {
      reason = fmt::format("has {} values, the model takes {}", list->second, elements);
    } else {
      for (int64_t i = 0; with_nulls && i < elements && reason.empty(); ++i)
        if (values.IsNull(list->first + i)) reason = "holds a null";
    }
    if (reason.empty()) {
      Write(values, list->first, elements, 1, record.data());
    } else {
      std::ranges::fill(record, 0.0F);
      faults->push_back(
          {.row = row, .reason = fmt::format("column '{}' {}", Printable(field.name()), reason)});
    }
  }
}

Status ChooseFeatures(const arrow::Schema& schema, const InputSpec& spec, std::string_view file,
                      ParquetColumns* columns) {
  const int64_t elements = ElementsOf(spec.record_shape);
  for (const std::string& name : spec.columns) {
    ASSIGN_OR_RETURN(auto field, FieldNamed(schema, name, file));
    columns->features.push_back(std::move(field));
  }
  if (spec.columns.empty()) columns->features = AllFeatures(schema, spec, elements);
  for (const auto& field : columns->features) {
    const bool list = columns->features.size() == 1 && IsNumberList(*field->type());
    if (!list && !IsNumber(*field->type()))
      return Misfit(schema, file,
                    fmt::format("column '{}' is {}, not numbers", Printable(field->name()),
                                field->type()->ToString()));
  }
  const auto found = static_cast<int64_t>(columns->features.size());
  if (!columns->IsList() && found != elements)
    return Misfit(schema, file,
                  fmt::format("{} numeric columns, the model takes {} values ({})", found, elements,
                              ShapeText(spec.record_shape)));
  return {};
}

}  // namespace

bool ParquetColumns::IsList() const {
  return features.size() == 1 && IsListType(*features[0]->type());
}

arrow::FieldVector ParquetColumns::All() const {
  arrow::FieldVector all = features;
  if (picture != nullptr) all.push_back(picture);
  if (id != nullptr) all.push_back(id);
  all.insert(all.end(), kept.begin(), kept.end());
  return all;
}

Result<ParquetColumns> ChooseColumns(const arrow::Schema& schema, const InputSpec& spec,
                                     std::string_view file) {
  ParquetColumns columns;
  if (!spec.column.empty()) {
    ASSIGN_OR_RETURN(columns.picture, FieldNamed(schema, spec.column, file));
    RETURN_IF_ERROR(CheckPictureColumn(*columns.picture, file));
  } else {
    RETURN_IF_ERROR(ChooseFeatures(schema, spec, file, &columns));
  }
  if (!spec.id.empty()) {
    ASSIGN_OR_RETURN(columns.id, FieldNamed(schema, spec.id, file));
    if (auto type = ParseArrowType(PlainType(columns.id->type())->ToString()); !type)
      return Misfit(schema, file,
                    fmt::format("column '{}' is {}, no id", Printable(spec.id),
                                columns.id->type()->ToString()));
  }
  for (const std::string& name : spec.keep) {
    ASSIGN_OR_RETURN(auto field, FieldNamed(schema, name, file));
    auto type = ParseArrowType(PlainType(field->type())->ToString());
    if (!type)
      return Annotate(std::move(type).error(),
                      fmt::format("{}: column '{}'", file, Printable(name)));
    columns.kept.push_back(std::move(field));
  }
  return columns;
}

Status CheckColumns(const ParquetColumns& columns, const arrow::Schema& schema,
                    std::string_view file) {
  for (const auto& wanted : columns.All()) {
    const auto field = schema.GetFieldByName(wanted->name());
    if (field != nullptr && field->type()->Equals(wanted->type())) continue;
    return FailWith(ErrorCode::kInvalid,
                    field == nullptr
                        ? fmt::format("{}: no column '{}' (or two), the first file has one", file,
                                      Printable(wanted->name()))
                        : fmt::format("{}: column '{}' is {}, the first file has {}", file,
                                      Printable(wanted->name()), field->type()->ToString(),
                                      wanted->type()->ToString()),
                    "write all files with one schema");
  }
  return {};
}

void FillFeatures(const ParquetColumns& columns, const arrow::RecordBatch& batch, int64_t elements,
                  std::span<float> into, std::vector<RecordFault>* faults) {
  CHECK(static_cast<int64_t>(into.size()) == batch.num_rows() * elements);
  if (columns.IsList()) {
    const arrow::Field& field = *columns.features[0];
    FillFromLists(field, *batch.GetColumnByName(field.name()), elements, into, faults);
  } else {
    FillFromScalars(columns, batch, into, faults);
  }
}

std::shared_ptr<arrow::DataType> PlainType(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() != arrow::Type::DICTIONARY) return type;
  return static_cast<const arrow::DictionaryType&>(*type).value_type();
}

Result<std::shared_ptr<arrow::Array>> PlainArray(const std::shared_ptr<arrow::Array>& array,
                                                 std::string_view file) {
  if (array->type_id() != arrow::Type::DICTIONARY) return array;
  const auto& encoded = static_cast<const arrow::DictionaryArray&>(*array);
  const arrow::ArraySpan dictionary(*encoded.dictionary()->data());
  auto spell_out = [&]() -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(encoded.dictionary()->type()));
    for (int64_t row = 0; row < encoded.length(); ++row)
      ARROW_RETURN_NOT_OK(encoded.IsNull(row) ? builder->AppendNull()
                                              : builder->AppendArraySlice(
                                                    dictionary, encoded.GetValueIndex(row), 1));
    return builder->Finish();
  };
  auto plain = spell_out();
  if (!plain.ok()) return ArrowFailure(plain.status(), file, ErrorCode::kInvalid);
  return *plain;
}

}  // namespace armada
