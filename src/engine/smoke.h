// The smoke test: does this engine run this model on this CPU at all?
//
// It runs in a child process, because where it does not, an engine may die of a signal instead of
// returning an error (OpenVINO builds have, of SIGFPE, on some virtual machines).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace armada {

struct SmokeOptions {
  // The child's command line, to which one argument is added; empty: this program with
  // "engine-smoke", which must then call SmokeTestMain.
  std::vector<std::string> command = {};
  std::string model_sha256 = {};  // of HashModel, where it is known already
  // Where passed tests are remembered, so that the next start on this host does not pay again;
  // unset: $XDG_CACHE_HOME or ~/.cache, below armada/smoke. What goes wrong with it is ignored.
  std::optional<std::string> cache_folder = std::nullopt;
  int64_t timeout_ms = 300'000;
};

// Loads the model in a child and runs a few batches of made-up records. The child's own error, as
// it is; kInvalid naming signal, model, engine and CPU when it died of a signal; kInvalid when a
// record's result depends on its neighbours in the batch; kLimit when it was killed, as the system
// does when memory is short.
Status SmokeTest(std::string_view engine, const std::string& model_path,
                 const ModelOptions& options, const SmokeOptions& smoke = {});

// The child's side: args as they follow "engine-smoke". Returns the exit status.
int SmokeTestMain(std::span<const std::string> args);

}  // namespace armada
