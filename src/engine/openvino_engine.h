// Inference by OpenVINO on the CPU: ONNX, TensorFlow SavedModel, TFLite and OpenVINO IR.
//
// Every Stream is one infer request on a one-thread OpenVINO stream and runs on the thread that
// calls it. The Streams of a Model share its weights.
//
// Limits: one input; the first dimension of the input and of every output is the batch.
#pragma once

#include <memory>

#include "engine/engine.h"

namespace armada {

// Cheap: plugins are loaded by the first call that needs them.
Result<std::unique_ptr<Engine>> NewOpenVinoEngine();

}  // namespace armada
