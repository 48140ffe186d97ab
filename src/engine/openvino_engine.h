// Inference by OpenVINO on the CPU: ONNX, TensorFlow SavedModel, TFLite and OpenVINO IR.
//
// Every Stream is one infer request; a Model has one OpenVINO stream of one thread a lane, whose
// thread computes while the lane that called Run sleeps. All share one copy of the weights.
//
// Limits: one input; the first dimension of the input and of every output is the batch.
#pragma once

#include <memory>

#include "engine/engine.h"

namespace armada {

// Cheap: plugins are loaded by the first call that needs them.
Result<std::unique_ptr<Engine>> NewOpenVinoEngine();

}  // namespace armada
