// S3Objects: the objects of a bucket as somebody else put them there, to be read: any keys, whole
// or in parts, held to what they were by their ETag. Thread-safe; kS3Connections connections at
// most.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/object_store.h"
#include "store/s3_session.h"

namespace armada {

struct S3Part {
  bool changed = false;      // the object is not the one asked for; the rest says nothing
  std::string bytes;         // fewer than asked for only at the object's end
  int64_t object_bytes = 0;  // of the whole object
  std::string etag;
};

class S3Objects {
 public:
  // uri: "s3://bucket", and what follows a '/' is passed over. kInvalid: see ParseS3Location.
  static Result<std::unique_ptr<S3Objects>> Open(const std::string& uri,
                                                 const StoreOptions& options);
  S3Objects(S3Location bucket, S3Wiring wiring) : session_(std::move(bucket), std::move(wiring)) {}

  // Bytes [offset, offset + length) of an object, in one request; etag "": as it is now.
  // kNotFound, kDenied, kUnavailable; kLimit when the bytes would not fit into memory.
  Result<S3Part> Read(std::string_view key, int64_t offset, int64_t length, std::string_view etag);
  Result<S3Part> ReadWhole(std::string_view key, std::string_view etag);

  // Objects whose key begins with prefix and is greater than `after`, at most `limit` (≤ 1000).
  Result<ListPage> List(std::string_view prefix, std::string_view after, int limit);

  std::string NameOf(std::string_view key) const { return session_.NameOf(key); }

 private:
  S3Session session_;
};

}  // namespace armada
