// What a worker and its probation child say to each other: frames over a socket, between two
// processes of one program on one machine, so numbers are as they lie in memory.
//
//   parent: {"record": job.json's, "model": path, "rows": a batch's most}   once
//   child:  {"limit": bytes}                                               ready
//   parent: {"rows": n, "sizes": [bytes of each, -1: faulty]}, then the bytes of all  a batch;
//           features have no "sizes"
//   child:  {"outputs": k, "faults": [{"row", "reason"}, …]}, then k frames
// Instead of any answer: {"code", "message", "remedy"}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/json.h"

namespace armada {

inline constexpr int kExitOutOfMemory = 97;  // of the child
inline constexpr uint64_t kMaxFrameBytes = uint64_t{4} << 30;

inline std::span<const std::byte> SizeBytes(const uint64_t& size) {
  return std::as_bytes(std::span(&size, 1));
}

inline std::string FrameText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace armada
