// How many bytes the calling thread has allocated with `new` and not given back, as malloc sizes
// them. A program that is linked with it has its operators new and delete replaced by ones that
// count and know no new_handler: for programs that simulate, and no others.
#pragma once

#include <cstdint>

namespace armada {

// Negative for a thread that frees what others allocated. Over-aligned objects are not counted.
int64_t HeapBytes();

}  // namespace armada
