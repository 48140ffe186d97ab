#include <memory>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace armada {
namespace {

int Version(bool json) {
  if (json)
    PrintJson(Json{{"armada", ARMADA_VERSION},
                   {"commit", ARMADA_COMMIT},
                   {"openvino", OPENVINO_VERSION_PIN},
                   {"arrow", ARROW_VERSION_PIN}});
  else
    Print(fmt::format("armada {} ({}), OpenVINO {}, Arrow {}\n", ARMADA_VERSION, ARMADA_COMMIT,
                      OPENVINO_VERSION_PIN, ARROW_VERSION_PIN));
  return kExitDone;
}

}  // namespace

std::function<int()> DeclareVersion(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  AddJsonOption(app, json.get());
  return [json] { return Version(*json); };
}

}  // namespace armada
