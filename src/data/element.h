// The element types of tensors. Persisted by name, never by number.
#pragma once

#include <cstdint>
#include <string_view>

namespace armada {

enum class ElementType : uint8_t { kU8, kI32, kI64, kF32 };
int64_t ElementBytes(ElementType type);
std::string_view ElementTypeName(ElementType type);  // "u8", "i32", "i64", "f32"

}  // namespace armada
