#include "data/element.h"

#include "base/check.h"

namespace armada {

int64_t ElementBytes(ElementType type) {
  switch (type) {
    case ElementType::kU8:
      return 1;
    case ElementType::kI32:
      return 4;
    case ElementType::kI64:
      return 8;
    case ElementType::kF32:
      return 4;
  }
  CHECK(false);
}

std::string_view ElementTypeName(ElementType type) {
  switch (type) {
    case ElementType::kU8:
      return "u8";
    case ElementType::kI32:
      return "i32";
    case ElementType::kI64:
      return "i64";
    case ElementType::kF32:
      return "f32";
  }
  CHECK(false);
}

}  // namespace armada
