// How the operating system's errno becomes an Error: the code names the caller's next move.
// Private to platform/.
#pragma once

#include <string_view>

#include "base/result.h"

namespace armada {

ErrorCode CodeOfErrno(int error_number);

// "cannot read /data/x: No space left on device", with what to do about it. `doing` is a verb.
std::unexpected<Error> OsFail(int error_number, std::string_view doing, std::string_view path);

}  // namespace armada
