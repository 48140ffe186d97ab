// Engine → Model → Stream: inference and nothing else.
//
// An Engine opens files into a Model. A Model owns the weights, which its Streams share. A Stream
// runs one batch at a time while its caller waits: one Stream a lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/element.h"

namespace armada {

// One input or output as the model declares it. `shape` is that of one record: without the batch
// dimension.
struct TensorSpec {
  std::string name;
  ElementType type = ElementType::kF32;  // the nearest that Armada has; kF32 for f16, bool, …
  std::string declared;                  // the model's own word: "f32", "f16", "string", …
  std::vector<int64_t> shape;            // -1: dynamic
  int64_t elements() const;              // product of shape; -1 when dynamic; 1 for a scalar
  std::string ToString() const;          // "image: f32 [N, 28, 28]"
};

struct Signature {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  // Records a batch must have; -1: any number. A model exported for a fixed batch is reshaped when
  // it is opened, and run in pieces of this size where its graph does not allow that.
  int64_t batch = -1;
};

enum class Precision : uint8_t { kF32, kBf16 };
std::string_view PrecisionName(Precision precision);  // "f32", "bf16"

// How the one input is fed: elements of `fed` (u8, i32, i64 or f32), and
// y = (x · rescale − mean) / std, computed inside the model's graph in f32. mean and std have one
// value, or one a channel (the last dimension of the record's shape; the first with `planes`).
struct InputTransform {
  ElementType fed = ElementType::kF32;
  // The model's record is [C, H, W], what is fed is a picture's [H, W, C]: transposed in the graph.
  bool planes = false;
  double rescale = 1;
  std::vector<double> mean;    // empty: 0
  std::vector<double> stddev;  // empty: 1

  bool operator==(const InputTransform&) const = default;
};

struct ModelOptions {
  Precision precision = Precision::kF32;
  InputTransform transform;
  // Sizes for what the model leaves open of its one input's record; dimensions that it fixes stay.
  // Empty: it leaves nothing open.
  std::vector<int64_t> record_shape;
  int64_t max_batch = 1024;  // Streams accept 1..max_batch rows
  int lanes = 1;             // Streams that run at the same time, one thread each

  bool operator==(const ModelOptions&) const = default;
};

// Runs a batch while its caller waits. Not thread-safe; one a lane. Keeps its Model alive.
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
  virtual bool HasBf16() const = 0;         // natively, on this CPU
  // The signature alone, without compiling, with record_shape as in ModelOptions. kInvalid when no
  // front-end reads the file, naming how to export it.
  virtual Result<Signature> Inspect(const std::string& path,
                                    const std::vector<int64_t>& record_shape) = 0;
  Result<Signature> Inspect(const std::string& path) { return Inspect(path, {}); }
  virtual Result<std::shared_ptr<Model>> Open(const std::string& path,
                                              const ModelOptions& options) = 0;
};

// "openvino" or "fake"; kInvalid for others. `fake` computes a fixed function of the bytes, for
// tests (fake_engine.h).
Result<std::unique_ptr<Engine>> NewEngine(std::string_view name);

// "openvino", or "fake" for a model whose path ends in ".fake.json": what engine: auto means.
std::string_view EngineNameFor(std::string_view model_path);

}  // namespace armada
