// Creating an object until its outcome is known: the chain's rules for objects that are no chain
// (model files, job.json, control, group files, DONE).
//
// Blocks, with pauses between tries; free functions, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "store/object_store.h"

namespace armada {

// How long a call that fails for now is tried again: some seconds, with growing pauses; not at all
// once this process was asked to leave.
class Patience {
 public:
  bool Again();  // pauses before the next try; false when there is none

 private:
  int tries_ = 0;
};

// read(), again while the store is unavailable.
template <class Read>
auto Patiently(Read read) {
  for (Patience patience;;) {
    auto result = read();
    if (result || result.error().code != ErrorCode::kUnavailable || !patience.Again())
      return result;
  }
}

// Creates `key` unless somebody was first. true: a send of these very bytes was answered 200.
// false: the key is taken; read it. (Perhaps by an earlier send of these bytes whose reply was
// lost.) Sends again and reads in turn after an unknown outcome; kUnavailable when that goes on for
// seconds.
Result<bool> CreateSettled(ObjectStore& store, std::string_view key, std::string_view bytes);

// Get and GetSuffix, patiently.
Result<std::string> GetPatiently(ObjectStore& store, std::string_view key);
Result<Suffix> GetSuffixPatiently(ObjectStore& store, std::string_view key, int64_t length);

// Whether there is such an object, patiently.
Result<bool> Exists(ObjectStore& store, std::string_view key);

// What stands at `key` now: these bytes, or those of whoever was first.
Result<std::string> CreateOrAdopt(ObjectStore& store, std::string_view key, std::string bytes);

// JSON as Armada stores it: indented, a newline at its end; invalid UTF-8 replaced.
std::string StoredJson(const Json& json);
// The same read back, an object of this `format`. kCorrupt names the key; kInvalid: another version
// wrote it.
Result<Json> ParseStoredJson(std::string_view text, std::string_view key, int64_t format);

}  // namespace armada
