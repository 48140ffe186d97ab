#include "ledger/parity.h"

#include <numeric>
#include <utility>

#include "base/sha256.h"
#include "base/text.h"
#include "ledger/names.h"
#include "ledger/parity_hint.h"
#include "ledger/parity_run.h"
#include "ledger/settle.h"
#include "platform/env.h"
#include "platform/file.h"
#include "store/key.h"

namespace armada {
namespace {

std::vector<size_t> AllBatches(const ParitySample& sample) {
  std::vector<size_t> all(sample.batches.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

std::string ClassName(const JobRecord& record, int64_t number) {
  const auto& names = record.schema.label_names;
  if (number >= static_cast<int64_t>(names.size())) return fmt::format("{}", number);
  return fmt::format("{} ({})", number, Printable(names[static_cast<size_t>(number)]));
}

std::string ShareText(int64_t ppm) { return fmt::format("{:g} %", static_cast<double>(ppm) / 1e4); }

// "largest difference 0.83 (parity.max_diff allows 0.001), … \n  worst record 'cat.jpg': …".
std::string Figures(const JobRecord& record, const ParityDifference& found) {
  const auto& wanted = record.spec.parity;
  const bool only_class = found.worst.difference <= wanted.max_diff;
  const ParityElement& worst = only_class ? found.worst_class : found.worst;
  const Agreement agreement = found.ToAgreement();
  std::string text = fmt::format(
      "largest difference {:.3g} (parity.max_diff allows {:g}), same best class in {:.2f} % of {} "
      "records (parity.top1 wants {})",
      agreement.max_abs_diff, wanted.max_diff, agreement.top1 * 100, found.records,
      ShareText(wanted.top1_ppm));
  text += fmt::format(
      "\n  worst record '{}': value {} of output '{}' should be {:.6g} and is {:.6g}",
      Printable(worst.id), worst.element, Printable(record.schema.outputs[worst.output].name),
      worst.expected, worst.actual);
  if (record.schema.outputs[0].elements == 1) return text;
  const std::string best = ClassName(record, worst.actual_best);
  if (worst.expected_best == worst.actual_best)
    return text + fmt::format("; its best class is {}, as it should be", best);
  return text + fmt::format("; its best class should be {} and is {}",
                            ClassName(record, worst.expected_best), best);
}

std::string Remedy(const JobRecord& record, const std::string& hint) {
  if (!hint.empty()) return hint;
  std::string text =
      "none of the usual changes of preprocess makes it agree: compare, step by step, with how the "
      "sample's predictions were made (docs/parity.md)";
  if (record.precision != Precision::kF32)
    text += "; precision is bf16, which has three digits: parity.max_diff may have to be larger";
  return text;
}

}  // namespace

Result<HashedSample> ReadSample(const std::string& path) {
  if (!IsFile(path))
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: there is no such parity sample", Printable(path)),
                    "correct parity.expected; it is relative to the job file");
  HashedSample sample;
  auto bytes = ReadFile(path, kMaxSampleBytes);
  if (!bytes && bytes.error().code == ErrorCode::kLimit)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: more than {} for a parity sample", Printable(path),
                                HumanBytes(kMaxSampleBytes)),
                    "some hundred records are enough");
  if (!bytes) return std::unexpected(std::move(bytes).error());
  sample.bytes = std::move(*bytes);
  if (sample.bytes.empty()) return Fail(ErrorCode::kInvalid, "{}: an empty file", Printable(path));
  sample.file = {.path = path.substr(path.rfind('/') + 1),
                 .sha256 = Sha256Hex(sample.bytes),
                 .size_bytes = static_cast<int64_t>(sample.bytes.size())};
  if (!IsKey(FilesKey(sample.file.sha256, sample.file.path)))
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: its name can't be an object's", Printable(path)),
                    "give the parity sample a shorter name");
  return sample;
}

Status StoreSample(ObjectStore& store, const HashedSample& sample) {
  const std::string key = FilesKey(sample.file.sha256, sample.file.path);
  ASSIGN_OR_RETURN(const std::string standing, CreateOrAdopt(store, key, sample.bytes));
  if (standing == sample.bytes) return {};
  return Fail(ErrorCode::kCorrupt, "{}/{}: its content is not what its name says", store.name(),
              key);
}

Result<Agreement> CheckParity(Engine& engine, const JobRecord& record, const HashedSample& hashed) {
  const std::string name = Printable(hashed.file.path);
  ASSIGN_OR_RETURN(const ParitySample sample,
                   ReadParitySample(hashed.bytes, name, record.input, SampleOutputs(record)));
  const ParityWay way = ParityWay::Of(record);
  ASSIGN_OR_RETURN(ParityRun run, ParityRun::Open(engine, record.spec.model.path, record, way));
  ASSIGN_OR_RETURN(const ParityDifference found,
                   run.Compare(sample, name, way, AllBatches(sample)));
  if (found.Agrees(record)) return found.ToAgreement();
  return FailWith(
      ErrorCode::kInvalid,
      fmt::format("the job does not predict what {} expects: {}", name, Figures(record, found)),
      Remedy(record, ParityHint(engine, record, sample, name, run, found)));
}

Status CheckParityHere(Engine& engine, const JobRecord& record, const std::string& model_path,
                       ObjectStore& store) {
  const ModelFile& file = record.parity->file;
  const std::string key = FilesKey(file.sha256, file.path);
  ASSIGN_OR_RETURN(const std::string bytes, GetPatiently(store, key));
  if (Sha256Hex(bytes) != file.sha256)
    return FailWith(ErrorCode::kCorrupt,
                    fmt::format("{}/{}: its content is not what was submitted", store.name(), key),
                    "put the original parity sample back");
  const std::string name = Printable(file.path);
  ASSIGN_OR_RETURN(const ParitySample sample,
                   ReadParitySample(bytes, name, record.input, SampleOutputs(record)));
  const ParityWay way = ParityWay::Of(record);
  ASSIGN_OR_RETURN(ParityRun run, ParityRun::Open(engine, model_path, record, way));
  ASSIGN_OR_RETURN(const ParityDifference found,
                   run.Compare(sample, name, way, AllBatches(sample)));
  if (found.Agrees(record)) return {};
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("this machine ({}, {}) does not predict what {} expects: {}",
                              CpuModelName(), engine.version(), name, Figures(record, found)),
                  fmt::format("work on machines like the one that submitted the job, which had {}",
                              record.parity->agreement.ToString()));
}

}  // namespace armada
