// Any bytes as an IDX file, plain or gzipped: an Error, or records of exactly the size that the
// header says, in bounded time and memory.
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "base/check.h"
#include "data/file_format.h"
#include "data/idx_file.h"
#include "platform/file.h"
#include "platform/process.h"

namespace {

constexpr int64_t kMostBytes = 1 << 20;  // gzip may stand for gigabytes

void ReadAll(armada::IdxFile& file) {
  const armada::IdxHeader& header = file.header();
  if (header.record_bytes > kMostBytes) return;
  std::vector<std::byte> record(static_cast<size_t>(header.record_bytes));
  std::vector<float> values(static_cast<size_t>(header.record_elements));
  const int64_t first = header.rows / 2;
  if (!file.Seek(first)) return;
  for (int64_t row = first; row < header.rows && (row - first) * header.record_bytes < kMostBytes;
       ++row) {
    if (!file.Read(record)) return;
    armada::IdxToFloat(header.type, record, values);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string path =
      armada::TempFolder() + "/armada-idx-fuzz-" + std::to_string(armada::ProcessId());
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  CHECK(armada::FileFormat(path).has_value());
  if (auto file = armada::IdxFile::Open(path))
    ReadAll(*file);
  else
    CHECK(!file.error().message.empty());
  CHECK(armada::RemoveFile(path).has_value());
  return 0;
}
