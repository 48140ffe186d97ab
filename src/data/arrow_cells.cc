#include "data/arrow_cells.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include <arrow/scalar.h>
#include <arrow/type_traits.h>
#include <arrow/visit_type_inline.h>

namespace armada {
namespace {

std::optional<int64_t> Whole(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (!(value >= -kLimit && value < kLimit) || value != std::floor(value)) return std::nullopt;
  return static_cast<int64_t>(value);
}

struct WholeNumber {
  const arrow::Array& array;
  int64_t row;
  std::optional<int64_t> value;

  template <class Type>
  arrow::Status Visit(const Type&) {
    if constexpr (std::is_same_v<Type, arrow::BooleanType>) {
      value = static_cast<const arrow::BooleanArray&>(array).Value(row) ? 1 : 0;
    } else if constexpr (arrow::is_integer_type<Type>::value) {
      const auto number = static_cast<const arrow::NumericArray<Type>&>(array).Value(row);
      if (std::in_range<int64_t>(number)) value = static_cast<int64_t>(number);
    } else if constexpr (std::is_same_v<Type, arrow::FloatType> ||
                         std::is_same_v<Type, arrow::DoubleType>) {
      value = Whole(static_cast<const arrow::NumericArray<Type>&>(array).Value(row));
    }
    return arrow::Status::OK();
  }
};

}  // namespace

std::optional<int64_t> WholeNumberAt(const arrow::Array& array, int64_t row) {
  WholeNumber visitor{.array = array, .row = row, .value = {}};
  const arrow::Status status = arrow::VisitTypeInline(*array.type(), &visitor);
  return status.ok() ? visitor.value : std::nullopt;
}

std::string TextAt(const arrow::Array& array, int64_t row) {
  if (array.type_id() == arrow::Type::STRING)
    return static_cast<const arrow::StringArray&>(array).GetString(row);
  auto scalar = array.GetScalar(row);
  return scalar.ok() ? (*scalar)->ToString() : std::string();
}

}  // namespace armada
