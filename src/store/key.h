// Keys: what may name an object. Shared by the stores.
#pragma once

#include <string_view>

namespace armada {

// Whether `key` is relative, '/'-separated, of [A-Za-z0-9._=/-], without empty parts, "." or "..",
// and of at most 1,000 bytes (S3 takes 1,024, prefix included; a part at most 255, as filesystems
// do). A part that begins with '.' is no key: such files are the local store's own.
bool IsKey(std::string_view key);

}  // namespace armada
