// What S3 answers, read from its XML and headers. Any bytes are taken: what is not S3's is an
// absence or an error, never trusted. pugixml does the parsing.
// Source: "Error responses", "ListObjectsV2", Amazon S3 API Reference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/object_store.h"

namespace armada {

// <Error>. What the server wrote is made safe to print.
struct S3Fault {
  std::string code;           // "NoSuchKey"
  std::string message;        // may be empty
  std::string region;         // where the bucket is, with some codes
  int64_t object_bytes = -1;  // with InvalidRange: the object's size; -1 not said
};

// nullopt: these bytes are no S3 error (a proxy's page, or no S3 server).
std::optional<S3Fault> ParseS3Fault(std::string_view xml);

struct S3Listing {
  std::vector<ObjectInfo> objects;  // whole keys, in the order of the reply
  bool truncated = false;           // there are more behind the last
};

// <ListBucketResult>, with keys decoded. kCorrupt: it is none.
Result<S3Listing> ParseS3Listing(std::string_view xml);

// "bytes 6-9/10" → the whole object's size, 10, when the range is [begin, end] of it.
struct ContentRange {
  int64_t begin = 0;
  int64_t end = 0;  // the last byte's position
  int64_t size = 0;
};
std::optional<ContentRange> ParseContentRange(std::string_view header);

// An ETag as it stands in a header or a listing, without its quotes.
std::string_view BareETag(std::string_view etag);

}  // namespace armada
