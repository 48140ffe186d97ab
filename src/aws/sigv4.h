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
// Authorization to the request, instead of those it has, over all its headers, Host and the body's
// SHA-256. (User-Agent, Expect, Transfer-Encoding and X-Amzn-Trace-Id are not signed: what is
// between us and the service may change them.) The URL is percent-encoded; its path is signed as it
// stands there, its query in canonical form. utc_ms: the service's time, ms since 1970. REQUIRES a
// URL with a host.
void SignV4(const Credentials& credentials, const SigningScope& scope, int64_t utc_ms,
            HttpRequest* request);

}  // namespace armada
