// AWS Signature Version 4: signs a request's headers.
// Source: "Signature Version 4 for API requests", AWS General Reference; S3's differences: the path
// is encoded once, and x-amz-content-sha256 is signed.
#pragma once

#include <cstdint>
#include <string_view>

#include "aws/credentials.h"
#include "platform/http.h"

namespace armada {

struct SigningScope {
  std::string_view region;   // "us-east-1"
  std::string_view service;  // "s3", "ec2", …
};

// Adds x-amz-date, x-amz-content-sha256 (for s3), x-amz-security-token (with a session token) and
// Authorization to the request, over all headers it has, Host and the body's SHA-256. The URL's
// path and query are signed as they stand there: percent-encoded. utc_ms: the service's time, ms
// since 1970. REQUIRES a URL with a host.
void SignV4(const Credentials& credentials, const SigningScope& scope, int64_t utc_ms,
            HttpRequest* request);

}  // namespace armada
