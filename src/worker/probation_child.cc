// The child's side of probation.

#include <algorithm>
#include <memory>

#include "data/picture_features.h"
#include "engine/engine.h"
#include "platform/process.h"
#include "platform/process_limits.h"
#include "worker/probation.h"
#include "worker/probation_wire.h"

namespace armada {
namespace {

constexpr int64_t kLeastRoomBytes = int64_t{1} << 30;

Status SendFrame(std::span<const std::byte> bytes) {
  const uint64_t size = bytes.size();
  RETURN_IF_ERROR(SendToParent(SizeBytes(size)));
  return SendToParent(bytes);
}

Status SendJson(const Json& json) {
  const std::string text = FrameText(json);
  return SendFrame(std::as_bytes(std::span(text)));
}

Result<std::vector<std::byte>> ReceiveFrame() {
  uint64_t size = 0;
  RETURN_IF_ERROR(ReceiveFromParent(std::as_writable_bytes(std::span(&size, 1))));
  if (size > kMaxFrameBytes) return Fail(ErrorCode::kInternal, "a frame of {} bytes", size);
  std::vector<std::byte> bytes(size);
  RETURN_IF_ERROR(ReceiveFromParent(bytes));
  return bytes;
}

Result<Json> ReceiveJson() {
  ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, ReceiveFrame());
  return ParseJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "a request");
}

class Tried {
 public:
  static Result<Tried> Open(const JobRecord& record, const std::string& model_path, int64_t rows) {
    Tried tried;
    ASSIGN_OR_RETURN(tried.engine_, NewEngine(record.engine));
    ASSIGN_OR_RETURN(tried.model_,
                     tried.engine_->Open(model_path, ModelOptionsOf(record, rows, 1)));
    ASSIGN_OR_RETURN(tried.stream_, tried.model_->NewStream());
    tried.outputs_.resize(tried.model_->signature().outputs.size());
    tried.record_bytes_ =
        record.signature.inputs[0].elements() * ElementBytes(record.input.element);
    if (record.input.picture)
      tried.pictures_ = std::make_unique<PictureFeatures>(*record.input.picture);
    // Made up: what a batch takes is part of what the limit of memory starts from.
    const std::vector<std::byte> zeros(static_cast<size_t>(tried.record_bytes_ * rows));
    RETURN_IF_ERROR(tried.stream_->Run(zeros, rows, tried.outputs_));
    return tried;
  }

  Status Answer(const Json& request) {
    ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, ReceiveFrame());
    Batch batch;
    ASSIGN_OR_RETURN(batch.rows, JsonInt(request, "rows"));
    batch.hi = batch.rows;
    batch.features = bytes.data();
    if (request.contains("sizes")) SetPayloads(request["sizes"], bytes, &batch);
    if (pictures_) RETURN_IF_ERROR(pictures_->Fill(&batch));
    const auto size = static_cast<size_t>(batch.rows * record_bytes_);
    RETURN_IF_ERROR(stream_->Run({batch.features, size}, batch.rows, outputs_));
    Json reply{{"outputs", outputs_.size()}, {"faults", Json::array()}};
    for (const RecordFault& fault : batch.faults)
      if (!fault.reason.empty())
        reply["faults"].push_back({{"row", fault.row}, {"reason", fault.reason}});
    RETURN_IF_ERROR(SendJson(reply));
    for (const std::span<const float> output : outputs_)
      RETURN_IF_ERROR(SendFrame(std::as_bytes(output)));
    return {};
  }

 private:
  // Those that the parent knows to be faulty have a fault without a reason.
  static void SetPayloads(const Json& sizes, std::span<const std::byte> bytes, Batch* batch) {
    std::vector<std::span<const std::byte>> payloads;
    for (const Json& item : sizes) {
      const auto size = item.get<int64_t>();
      if (size < 0)
        batch->faults.push_back({.row = static_cast<int64_t>(payloads.size()), .reason = {}});
      payloads.push_back(bytes.first(static_cast<size_t>(std::max<int64_t>(0, size))));
      bytes = bytes.subspan(payloads.back().size());
    }
    batch->payload = [payloads](int64_t row, std::vector<std::byte>*) {
      return Result<std::span<const std::byte>>(payloads[static_cast<size_t>(row)]);
    };
  }

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Model> model_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<PictureFeatures> pictures_;
  std::vector<std::span<const float>> outputs_;
  int64_t record_bytes_ = 0;
};

Status Serve() {
  ASSIGN_OR_RETURN(const Json hello, ReceiveJson());
  ASSIGN_OR_RETURN(const JobRecord record, JobRecord::FromJson(hello["record"]));
  ASSIGN_OR_RETURN(const std::string model, JsonString(hello, "model"));
  ASSIGN_OR_RETURN(const int64_t rows, JsonInt(hello, "rows"));
  ASSIGN_OR_RETURN(Tried tried, Tried::Open(record, model, rows));
  const int64_t used = DataBytes();
  const int64_t limit = LimitDataBytes(used + std::max(kLeastRoomBytes, 2 * used));
  EndWhenOutOfMemory(kExitOutOfMemory);
  RETURN_IF_ERROR(SendJson(Json{{"limit", limit}}));
  while (true) {
    ASSIGN_OR_RETURN(const Json request, ReceiveJson());
    RETURN_IF_ERROR(tried.Answer(request));
  }
}

}  // namespace

int ProbationMain() {
  IgnoreStopSignals();
  ForbidCoreDumps();
  const Error error = Serve().error();                  // it serves until something ends that
  if (error.code == ErrorCode::kUnavailable) return 0;  // the parent has no more to say
  (void)SendJson({{"code", static_cast<int>(error.code)},
                  {"message", error.message},
                  {"remedy", error.remedy}});
  return 0;
}

}  // namespace armada
