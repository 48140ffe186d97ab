// Where a job's folder in S3 is: s3://bucket/prefix and an endpoint, made into URLs.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/object_store.h"

namespace armada {

struct S3Location {
  std::string bucket;
  std::string prefix;    // of the keys: "" or "jobs/photos-v3/"
  std::string endpoint;  // "https://host:port", "" for AWS itself

  // "s3://bucket/prefix", without a '/' at its end.
  std::string Uri() const;
  // Without a '/' at its end. Where an endpoint is given the bucket is the first part of the path
  // (what every S3 server understands); at AWS it is the first part of the host, unless it holds
  // dots, which AWS's certificates do not cover.
  std::string BucketUrl(std::string_view region) const;
};

// kInvalid: the URI's bucket or prefix, or the endpoint, is not one. An http:// endpoint is one on
// this machine only (127.0.0.1, [::1], localhost): elsewhere it would show everything to the
// network.
Result<S3Location> ParseS3Location(const std::string& uri, const std::string& endpoint);

}  // namespace armada
