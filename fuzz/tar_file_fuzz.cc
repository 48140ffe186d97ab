// Any bytes as a tar archive, plain, gzipped or zstd: an Error, or samples one behind the other
// within the limits, and the same ones when the archive is opened at any of them.
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "data/tar_file.h"
#include "platform/file.h"
#include "platform/process.h"

namespace {

constexpr armada::TarLimits kLimits = {.member_bytes = 4096,
                                       .field_bytes = 512,
                                       .fields = 3,
                                       .unpacked_bytes = 1 << 20,
                                       .expansion = 20};

struct Content {
  std::vector<armada::TarSample> samples;
  std::optional<armada::Error> error;
};

Content ReadAll(const std::string& path, int64_t from) {
  Content content;
  auto file = armada::TarFile::Open(path, from, kLimits);
  if (!file) {
    content.error = std::move(file).error();
    return content;
  }
  armada::TarSample sample;
  while (true) {
    auto more = (*file)->Next(&sample);
    if (!more) {
      content.error = std::move(more).error();
      return content;
    }
    if (!*more) return content;
    content.samples.push_back(std::move(sample));
  }
}

void CheckSample(const armada::TarSample& sample, int64_t before) {
  CHECK(sample.begin >= before);
  CHECK(sample.end > sample.begin);
  CHECK(sample.bytes.size() <= static_cast<size_t>(kLimits.member_bytes));
  CHECK(sample.bytes.empty() || sample.fault.empty());
  CHECK(sample.fields.size() <= static_cast<size_t>(kLimits.fields));
  for (const auto& [name, bytes] : sample.fields)
    CHECK(bytes.size() <= static_cast<size_t>(kLimits.field_bytes));
  CHECK(!sample.name.empty() && sample.name.size() < 5000);
  CHECK(sample.name.find('\0') == std::string::npos);
}

void CheckSame(const Content& rest, const Content& whole, size_t from) {
  CHECK(rest.samples.size() == whole.samples.size() - from);
  for (size_t i = 0; i < rest.samples.size(); ++i) {
    const armada::TarSample& a = rest.samples[i];
    const armada::TarSample& b = whole.samples[from + i];
    CHECK(a.begin == b.begin && a.end == b.end && a.name == b.name && a.bytes == b.bytes);
    CHECK(a.fields == b.fields && a.fault == b.fault);
  }
  CHECK(rest.error.has_value() == whole.error.has_value());
  if (rest.error) CHECK(rest.error->message == whole.error->message);
}

// Puts the checksums of ustar headers right, so that what the fuzzer changed in them gets through.
std::string Summed(std::string bytes) {
  constexpr size_t kSum = 148;
  for (size_t at = 0; at + 512 <= bytes.size(); at += 512) {
    if (bytes.compare(at + 257, 5, "ustar") != 0) continue;
    bytes.replace(at + kSum, 8, 8, ' ');
    unsigned sum = 0;
    for (size_t i = at; i < at + 512; ++i) sum += static_cast<uint8_t>(bytes[i]);
    bytes.replace(at + kSum, 6, fmt::format("{:06o}", sum));
  }
  return bytes;
}

void ReadEverywhere(const std::string& bytes) {
  static const std::string path =
      armada::TempFolder() + "/armada-tar-fuzz-" + std::to_string(armada::ProcessId());
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const Content whole = ReadAll(path, 0);
  if (whole.error) {
    CHECK(!whole.error->message.empty());
    CHECK(whole.error->code == armada::ErrorCode::kInvalid);
  }
  int64_t before = 0;
  for (const armada::TarSample& sample : whole.samples) {
    CheckSample(sample, before);
    before = sample.end;
  }
  if (!whole.samples.empty()) {
    const size_t middle = whole.samples.size() / 2;
    CheckSame(ReadAll(path, whole.samples[middle].begin), whole, middle);
    CheckSame(ReadAll(path, whole.samples.back().end), whole, whole.samples.size());
  }
  CHECK(armada::RemoveFile(path).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  ReadEverywhere(bytes);
  const std::string summed = Summed(bytes);
  if (summed != bytes) ReadEverywhere(summed);
  return 0;
}
