// Engine → Model → Stream: inference and nothing else.
//
// An Engine opens files into a Model. A Model owns the weights, which its Streams share. A Stream
// runs one batch at a time on the calling thread: one Stream a lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/element.h"

namespace armada {

// One input or output as the model declares it. `shape` is that of one record: without the batch
// dimension.
struct TensorSpec {
  std::string name;
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;    // -1: dynamic
  int64_t elements() const;      // product of shape; -1 when dynamic; 1 for a scalar
  std::string ToString() const;  // "image: f32 [N, 28, 28]"
};

struct Signature {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
};

enum class Precision : uint8_t { kF32, kBf16 };
std::string_view PrecisionName(Precision precision);

// How the one input is fed: u8 or f32 elements, and y = (x · rescale − mean) / std, computed inside
// the model's graph. mean and std have one value, or one a channel (the last dimension of the
// record's shape).
struct InputTransform {
  ElementType fed = ElementType::kF32;
  double rescale = 1;
  std::vector<double> mean;    // empty: 0
  std::vector<double> stddev;  // empty: 1
};

struct ModelOptions {
  Precision precision = Precision::kF32;
  InputTransform transform;
  int64_t max_batch = 1024;  // Streams accept 1..max_batch rows
};

// Runs batches on the thread that calls it. Not thread-safe; one a lane. Must not outlive its
// Model.
class Stream {
 public:
  virtual ~Stream() = default;

  // Runs `rows` records. input: rows × record elements of transform.fed, contiguous, read in place
  // where the engine can (it must stay valid during the call). outputs[i]: rows × elements of
  // output i as f32, valid until the next Run. REQUIRES 1 <= rows <= max_batch, outputs.size() ==
  // signature.outputs.size(). kInternal when the engine fails: nothing is known about the records
  // then.
  virtual Status Run(std::span<const std::byte> input, int64_t rows,
                     std::span<std::span<const float>> outputs) = 0;
};

// Thread-safe.
class Model {
 public:
  virtual ~Model() = default;
  virtual const Signature& signature() const = 0;
  virtual Result<std::unique_ptr<Stream>> NewStream() = 0;
};

// Thread-safe.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string version() const = 0;  // "OpenVINO 2026.4.1"
  // The signature alone, without compiling. kInvalid when no front-end reads the file, naming how
  // to export it.
  virtual Result<Signature> Inspect(const std::string& path) = 0;
  virtual Result<std::shared_ptr<Model>> Open(const std::string& path,
                                              const ModelOptions& options) = 0;
};

// "openvino" or "fake"; kInvalid for others. `fake` computes a fixed function of the bytes, for
// tests.
Result<std::unique_ptr<Engine>> NewEngine(std::string_view name);

}  // namespace armada
