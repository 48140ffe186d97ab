#include "engine/fake_engine.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "base/random.h"
#include "platform/clock.h"
#include "platform/file.h"

namespace armada {
namespace {

constexpr int64_t kMaxModelBytes = 1 << 20;

constexpr size_t kBiteBytes = size_t{64} << 20;

enum class Harm : uint8_t { kDie, kDieTogether, kHang, kEat };

struct FakeModelFile {
  Signature signature;
  int64_t fail_every = 0;
  int64_t signal = 0;
  std::map<std::byte, Harm> poison = {};  // by a record's first byte
};

Result<std::vector<TensorSpec>> ParseSpecs(const Json& list) {
  std::vector<TensorSpec> specs;
  for (const Json& item : list) {
    TensorSpec spec;
    ASSIGN_OR_RETURN(spec.name, JsonString(item, "name"));
    ASSIGN_OR_RETURN(spec.declared, JsonString(item, "type"));
    spec.type = spec.declared == "u8" ? ElementType::kU8 : ElementType::kF32;
    for (const Json& dimension : item.value("shape", Json::array())) {
      if (!dimension.is_number_integer()) {
        return Fail(ErrorCode::kInvalid, "shape of {} is not whole numbers", spec.name);
      }
      spec.shape.push_back(dimension.get<int64_t>());
    }
    specs.push_back(std::move(spec));
  }
  if (specs.empty()) return Fail(ErrorCode::kInvalid, "no inputs or no outputs");
  return specs;
}

const std::map<std::string_view, Harm> kHarms = {{"die", Harm::kDie},
                                                 {"die together", Harm::kDieTogether},
                                                 {"hang", Harm::kHang},
                                                 {"eat", Harm::kEat}};

Result<std::map<std::byte, Harm>> ParsePoison(const Json& list) {
  std::map<std::byte, Harm> poison;
  for (const Json& item : list) {
    ASSIGN_OR_RETURN(const int64_t byte, JsonInt(item, "byte"));
    ASSIGN_OR_RETURN(const std::string does, JsonString(item, "does"));
    const auto harm = kHarms.find(does);
    if (byte < 0 || byte > 255 || harm == kHarms.end())
      return Fail(ErrorCode::kInvalid, "poison is a byte that does die, die together, hang or eat");
    poison[static_cast<std::byte>(byte)] = harm->second;
  }
  return poison;
}

// Does not return.
void Suffer(Harm harm) {
  if (harm == Harm::kDie) std::raise(SIGSEGV);
  if (harm == Harm::kDieTogether) kill(0, SIGKILL);  // the whole process group, parents among it
  std::vector<std::unique_ptr<std::byte[]>> eaten;
  while (true) {
    if (harm == Harm::kHang) {
      SleepMs(1000);
      continue;
    }
    eaten.push_back(std::make_unique_for_overwrite<std::byte[]>(kBiteBytes));
    // Touched here and there: limits count what is taken, and tests have no time to waste.
    for (size_t at = 0; at < kBiteBytes; at += kBiteBytes / 16) eaten.back()[at] = std::byte{1};
  }
}

Result<FakeModelFile> Load(const std::string& path) {
  if (!path.ends_with(".fake.json")) {
    return Fail(ErrorCode::kInvalid, "{}: the fake engine reads files that end in .fake.json",
                path);
  }
  auto text = ReadFile(path, kMaxModelBytes);
  if (!text) return Fail(ErrorCode::kInvalid, "{}", text.error().message);
  ASSIGN_OR_RETURN(const Json json, ParseJson(*text, path));
  if (!json.is_object()) return Fail(ErrorCode::kInvalid, "{}: not an object", path);
  FakeModelFile file;
  auto inputs = ParseSpecs(json.value("inputs", Json::array()));
  if (!inputs) return Annotate(inputs.error(), path);
  auto outputs = ParseSpecs(json.value("outputs", Json::array()));
  if (!outputs) return Annotate(outputs.error(), path);
  file.signature.inputs = std::move(*inputs);
  file.signature.outputs = std::move(*outputs);
  file.fail_every = json.value("fail_every", int64_t{0});
  file.signal = json.value("signal", int64_t{0});
  auto poison = ParsePoison(json.value("poison", Json::array()));
  if (!poison) return Annotate(poison.error(), path);
  file.poison = std::move(*poison);
  return file;
}

uint64_t HashRecord(std::span<const std::byte> bytes) {
  uint64_t hash = 0x243F6A8885A308D3ull + bytes.size();
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t taken = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), taken);
    hash ^= word;
    hash = SplitMix64(hash);
    bytes = bytes.subspan(taken);
  }
  return hash;
}

class FakeModel;

class FakeStream : public Stream {
 public:
  explicit FakeStream(std::shared_ptr<const FakeModel> model);
  Status Run(std::span<const std::byte> input, int64_t rows,
             std::span<std::span<const float>> outputs) override;

 private:
  std::shared_ptr<const FakeModel> model_;
  int64_t runs_ = 0;
  std::vector<std::vector<float>> outputs_;
};

class FakeModel : public Model, public std::enable_shared_from_this<FakeModel> {
 public:
  FakeModel(FakeModelFile file, ModelOptions options)
      : file_(std::move(file)), options_(std::move(options)) {}
  const Signature& signature() const override { return file_.signature; }
  Result<std::unique_ptr<Stream>> NewStream() override {
    return std::make_unique<FakeStream>(shared_from_this());
  }
  const FakeModelFile& file() const { return file_; }
  const ModelOptions& options() const { return options_; }
  int64_t record_bytes() const {
    return file_.signature.inputs[0].elements() * ElementBytes(options_.transform.fed);
  }

 private:
  const FakeModelFile file_;
  const ModelOptions options_;
};

FakeStream::FakeStream(std::shared_ptr<const FakeModel> model) : model_(std::move(model)) {
  for (const TensorSpec& spec : model_->signature().outputs) {
    outputs_.emplace_back(static_cast<size_t>(spec.elements() * model_->options().max_batch));
  }
}

Status FakeStream::Run(std::span<const std::byte> input, int64_t rows,
                       std::span<std::span<const float>> outputs) {
  const FakeModelFile& file = model_->file();
  CHECK(rows >= 1 && rows <= model_->options().max_batch);
  CHECK(outputs.size() == outputs_.size());
  const size_t record_bytes = static_cast<size_t>(model_->record_bytes());
  CHECK(input.size() == record_bytes * static_cast<size_t>(rows));
  ++runs_;
  if (file.signal != 0) std::raise(static_cast<int>(file.signal));
  if (file.fail_every > 0 && runs_ % file.fail_every == 0) {
    return Fail(ErrorCode::kInternal, "the fake engine fails its run {} as it was told to", runs_);
  }
  for (size_t at = 0; !file.poison.empty() && at < input.size(); at += record_bytes)
    if (const auto it = file.poison.find(input[at]); it != file.poison.end()) Suffer(it->second);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const size_t elements = static_cast<size_t>(file.signature.outputs[i].elements());
    for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
      Random random(HashRecord(input.subspan(row * record_bytes, record_bytes)) + i);
      for (size_t j = 0; j < elements; ++j) {
        outputs_[i][row * elements + j] = static_cast<float>(random.Below(1 << 24)) / (1 << 24);
      }
    }
    outputs[i] = std::span(outputs_[i]).first(elements * static_cast<size_t>(rows));
  }
  return {};
}

class FakeEngine : public Engine {
 public:
  std::string version() const override { return "fake 1"; }
  bool HasBf16() const override { return false; }

  using Engine::Inspect;
  Result<Signature> Inspect(const std::string& path,
                            const std::vector<int64_t>& /*record_shape*/) override {
    ASSIGN_OR_RETURN(FakeModelFile file, Load(path));
    return file.signature;
  }

  Result<std::shared_ptr<Model>> Open(const std::string& path,
                                      const ModelOptions& options) override {
    ASSIGN_OR_RETURN(FakeModelFile file, Load(path));
    if (file.signature.inputs.size() != 1 || file.signature.inputs[0].elements() < 1) {
      return Fail(ErrorCode::kInvalid, "{}: not one input of a fixed shape", path);
    }
    for (const TensorSpec& output : file.signature.outputs) {
      if (output.elements() < 1) {
        return Fail(ErrorCode::kInvalid, "{}: output {} has no fixed shape", path, output.name);
      }
    }
    return std::make_shared<FakeModel>(std::move(file), options);
  }
};

}  // namespace

std::unique_ptr<Engine> NewFakeEngine() { return std::make_unique<FakeEngine>(); }

}  // namespace armada
