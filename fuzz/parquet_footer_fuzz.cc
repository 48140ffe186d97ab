// Any bytes as a commit: its facts or an Error, and its rows or an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "data/parquet_commit.h"
#include "data/parquet_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  int64_t needed = 0;
  const auto facts = armada::ReadCommitFacts(bytes, static_cast<int64_t>(size), &needed);
  if (facts) {
    CHECK(0 <= facts->lo && facts->lo < facts->hi);
    CHECK(0 <= facts->dead && facts->dead <= facts->rows);
  }
  // As the last bytes of something larger.
  const auto of_more = armada::ReadCommitFacts(bytes, int64_t{1} << 40, &needed);
  if (!of_more && of_more.error().code == armada::ErrorCode::kLimit) CHECK(needed > 0);

  int64_t rows = 0;
  const armada::Status scanned = armada::ScanPredictions(
      bytes, "x.parquet",
      {.id = true, .label = true, .score = true, .error = true, .kept = "truth"},
      [&](const armada::ScannedRows& some) -> armada::Status {
        rows += some.rows;
        if (rows > 1 << 20) return armada::Fail(armada::ErrorCode::kLimit, "enough");
        return {};
      });
  if (!scanned) CHECK(!scanned.error().message.empty());
  return 0;
}
