// Any bytes as what an S3 server answers: as an error, a listing, a range. Nothing is taken that
// does not make sense, and what is taken is safe to print.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "platform/http.h"
#include "store/s3_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (const auto fault = armada::ParseS3Fault(bytes)) {
    CHECK(!fault->code.empty() && fault->code.size() < 1000 && fault->message.size() < 5000);
    CHECK(armada::Printable(fault->code) == fault->code);
    CHECK(armada::Printable(fault->message) == fault->message);
    CHECK(fault->object_bytes >= -1);
  }
  if (const auto listing = armada::ParseS3Listing(bytes)) {
    for (const armada::ObjectInfo& object : listing->objects)
      CHECK(!object.key.empty() && object.key.size() <= size && object.size_bytes >= 0);
  } else {
    CHECK(listing.error().code == armada::ErrorCode::kCorrupt);
    CHECK(armada::Printable(listing.error().message) == listing.error().message);
  }
  if (const auto range = armada::ParseContentRange(bytes))
    CHECK(0 <= range->begin && range->begin <= range->end && range->end < range->size);
  CHECK(armada::PercentDecode(armada::PercentEncode(bytes)) == bytes);
  CHECK(armada::PercentDecode(bytes).size() <= bytes.size());
  (void)armada::ParseHttpDate(bytes);
  return 0;
}
