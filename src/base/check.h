// CHECK: for programmer error only, on in release too. Bad input is an Error, never a CHECK.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace armada {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "armada: internal error: CHECK failed at %s:%d: %s\n", file, line,
               condition);
  std::abort();
}

}  // namespace armada

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::armada::CheckFailed(__FILE__, __LINE__, #condition))
