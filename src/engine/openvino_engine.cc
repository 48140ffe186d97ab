#include "engine/openvino_engine.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "engine/openvino_graph.h"
#include "platform/env.h"

namespace armada {
namespace {

class OpenVinoModel;

class OpenVinoStream : public Stream {
 public:
  OpenVinoStream(std::shared_ptr<const OpenVinoModel> model, ov::InferRequest request);
  Status Run(std::span<const std::byte> input, int64_t rows,
             std::span<std::span<const float>> outputs) override;

 private:
  void Infer(std::span<const std::byte> input);

  std::shared_ptr<const OpenVinoModel> model_;
  ov::InferRequest request_;
  std::vector<std::byte> padded_;              // a batch that is filled up with zeros
  std::vector<std::vector<float>> collected_;  // outputs of a batch that ran in pieces
};

// A compiled graph for batches of exactly graph_rows.
class OpenVinoModel : public Model, public std::enable_shared_from_this<OpenVinoModel> {
 public:
  OpenVinoModel(ov::CompiledModel compiled, Graph graph, Signature signature,
                const ModelOptions& options, int64_t graph_rows)
      : compiled_(std::move(compiled)),
        signature_(std::move(signature)),
        output_order_(std::move(graph.outputs)),
        graph_rows_(graph_rows),
        max_batch_(options.max_batch) {
    record_bytes_ =
        static_cast<size_t>(signature_.inputs[0].elements() * ElementBytes(options.transform.fed));
  }

  const Signature& signature() const override { return signature_; }
  Result<std::unique_ptr<Stream>> NewStream() override {
    auto request =
        Guarded(ErrorCode::kInternal, "OpenVINO", [&] { return compiled_.create_infer_request(); });
    if (!request) return std::unexpected(request.error());
    return std::make_unique<OpenVinoStream>(shared_from_this(), std::move(*request));
  }

  const ov::Output<const ov::Node>& input() const { return compiled_.inputs()[0]; }
  const std::vector<size_t>& output_order() const { return output_order_; }
  int64_t graph_rows() const { return graph_rows_; }
  int64_t max_batch() const { return max_batch_; }
  size_t record_bytes() const { return record_bytes_; }

 private:
  mutable ov::CompiledModel compiled_;
  const Signature signature_;
  const std::vector<size_t> output_order_;
  const int64_t graph_rows_;
  const int64_t max_batch_;
  size_t record_bytes_ = 0;
};

OpenVinoStream::OpenVinoStream(std::shared_ptr<const OpenVinoModel> model, ov::InferRequest request)
    : model_(std::move(model)),
      request_(std::move(request)),
      collected_(model_->signature().outputs.size()) {}

void OpenVinoStream::Infer(std::span<const std::byte> input) {
  const ov::Output<const ov::Node>& port = model_->input();
  // OpenVINO reads the tensor only, but has no tensor of constant memory.
  request_.set_input_tensor(
      ov::Tensor(port.get_element_type(), port.get_shape(), const_cast<std::byte*>(input.data())));
  request_.infer();
}

Status OpenVinoStream::Run(std::span<const std::byte> input, int64_t rows,
                           std::span<std::span<const float>> outputs) {
  CHECK(rows >= 1 && rows <= model_->max_batch());
  CHECK(outputs.size() == collected_.size());
  CHECK(input.size() == static_cast<size_t>(rows) * model_->record_bytes());
  const int64_t graph_rows = model_->graph_rows();
  const size_t piece_bytes = static_cast<size_t>(graph_rows) * model_->record_bytes();
  const bool in_pieces = rows > graph_rows;
  if (in_pieces) {
    for (std::vector<float>& values : collected_) values.clear();
  }
  auto ran = Guarded(ErrorCode::kInternal, "OpenVINO failed to run a batch", [&] {
    for (int64_t done = 0; done < rows; done += graph_rows) {
      const size_t piece_rows = static_cast<size_t>(std::min(graph_rows, rows - done));
      std::span<const std::byte> piece = input.subspan(
          static_cast<size_t>(done) * model_->record_bytes(), piece_rows * model_->record_bytes());
      if (piece.size() < piece_bytes) {
        padded_.assign(piece_bytes, std::byte{0});
        std::memcpy(padded_.data(), piece.data(), piece.size());
        piece = padded_;
      }
      Infer(piece);
      for (size_t i = 0; i < outputs.size(); ++i) {
        const ov::Tensor tensor = request_.get_output_tensor(model_->output_order()[i]);
        const std::span<const float> values(
            tensor.data<const float>(),
            piece_rows * (tensor.get_size() / static_cast<size_t>(graph_rows)));
        if (in_pieces) {
          collected_[i].insert(collected_[i].end(), values.begin(), values.end());
        } else {
          outputs[i] = values;
        }
      }
    }
    return true;
  });
  if (!ran) return std::unexpected(ran.error());
  if (in_pieces) std::ranges::copy(collected_, outputs.begin());
  return {};
}

class OpenVinoEngine : public Engine {
 public:
  std::string version() const override {
    const std::string_view build = ov::get_openvino_version().buildNumber;
    return fmt::format("OpenVINO {}", build.substr(0, build.find('-')));
  }

  bool HasBf16() const override {
    auto capabilities = Guarded(ErrorCode::kInternal, "OpenVINO", [&] {
      return core_.get_property("CPU", ov::device::capabilities);
    });
    return capabilities && std::ranges::count(*capabilities, ov::device::capability::BF16) > 0;
  }

  using Engine::Inspect;
  Result<Signature> Inspect(const std::string& path,
                            const std::vector<int64_t>& record_shape) override {
    ASSIGN_OR_RETURN(Graph graph, ReadGraph(core_, path));
    RETURN_IF_ERROR(FixRecord(graph, record_shape, path));
    return SignatureOf(graph);
  }

  Result<std::shared_ptr<Model>> Open(const std::string& path,
                                      const ModelOptions& options) override {
    CHECK(options.max_batch >= 1 && options.lanes >= 1);
    if (options.precision == Precision::kBf16 && !HasBf16()) {
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("this CPU ({}) does not compute in bf16", CpuModelName()),
                      "set model.precision to f32, or use machines with AVX512_BF16 or AMX");
    }
    ASSIGN_OR_RETURN(Graph graph, ReadGraph(core_, path));
    RETURN_IF_ERROR(FixRecord(graph, options.record_shape, path));
    Signature signature = SignatureOf(graph);
    RETURN_IF_ERROR(CheckRunnable(signature, graph, path));
    ASSIGN_OR_RETURN(const int64_t graph_rows, FixBatch(graph, options.max_batch, path));
    RETURN_IF_ERROR(AddTransform(graph, options.transform, path));
    ASSIGN_OR_RETURN(ov::CompiledModel compiled, Compile(graph, options, path));
    return std::make_shared<OpenVinoModel>(std::move(compiled), std::move(graph),
                                           std::move(signature), options, graph_rows);
  }

 private:
  // One OpenVINO stream of one thread a lane. The lane sleeps while its stream's thread computes:
  // one hand-over a batch is the price of sharing the weights. (A compiled model of one stream
  // computes on the calling thread, but lets one lane in at a time.) Pinning would put several
  // workers on the same cores.
  Result<ov::CompiledModel> Compile(const Graph& graph, const ModelOptions& options,
                                    const std::string& path) {
    return Guarded(ErrorCode::kInvalid, fmt::format("{}: cannot be compiled", path), [&] {
      return core_.compile_model(
          graph.model, "CPU", ov::num_streams(options.lanes),
          ov::inference_num_threads(options.lanes), ov::hint::enable_cpu_pinning(false),
          ov::hint::inference_precision(options.precision == Precision::kBf16 ? ov::element::bf16
                                                                              : ov::element::f32));
    });
  }

  mutable ov::Core core_;  // thread-safe
};

}  // namespace

Result<std::unique_ptr<Engine>> NewOpenVinoEngine() {
  return Guarded(ErrorCode::kInternal, "OpenVINO",
                 []() -> std::unique_ptr<Engine> { return std::make_unique<OpenVinoEngine>(); });
}

}  // namespace armada
