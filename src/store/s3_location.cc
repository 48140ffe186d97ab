#include "store/s3_location.h"

#include <algorithm>

#include "base/text.h"
#include "store/key.h"

namespace armada {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr size_t kMaxPrefixBytes = 512;  // S3's keys have at most 1,024, ours take the rest

bool IsBucketChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

bool IsBucketName(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, IsBucketChar) &&
         !name.starts_with('.') && !name.starts_with('-') && !name.ends_with('.') &&
         !name.ends_with('-') && !name.contains("..");
}

// The host of "scheme://host:port".
std::string_view HostOf(std::string_view endpoint) {
  std::string_view host = endpoint.substr(endpoint.find("://") + 3);
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool IsLoopback(std::string_view host) {
  const bool dotted =
      std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return host == "localhost" || host == "[::1]" || (host.starts_with("127.") && dotted);
}

Status CheckEndpoint(const std::string& endpoint) {
  const bool tls = endpoint.starts_with("https://");
  if (!tls && !endpoint.starts_with("http://"))
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("the S3 endpoint {} is no URL", Printable(endpoint)),
                    "write https://host or https://host:port");
  const std::string_view host = HostOf(endpoint);
  const std::string_view rest = std::string_view(endpoint).substr(endpoint.find("://") + 3);
  if (host.empty() || rest.find_first_of("/?#@ ") != rest.npos || Printable(rest) != rest)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("the S3 endpoint {} is more than a host", Printable(endpoint)),
                    "write https://host or https://host:port, without a path or a name");
  if (!tls && !IsLoopback(host))
    return FailWith(
        ErrorCode::kInvalid,
        fmt::format("the S3 endpoint {} would send data and answers unencrypted", endpoint),
        "use https://; http:// is for servers on this machine (127.0.0.1, localhost)");
  return {};
}

}  // namespace

std::string S3Location::Uri() const {
  std::string uri = fmt::format("{}{}/{}", kScheme, bucket, prefix);
  uri.pop_back();
  return uri;
}

std::string S3Location::BucketUrl(std::string_view region) const {
  if (!endpoint.empty()) return fmt::format("{}/{}", endpoint, bucket);
  const std::string_view domain = region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  if (bucket.contains('.')) return fmt::format("https://s3.{}.{}/{}", region, domain, bucket);
  return fmt::format("https://{}.s3.{}.{}", bucket, region, domain);
}

Result<S3Location> ParseS3Location(const std::string& uri, const std::string& endpoint) {
  const std::string_view rest = std::string_view(uri).substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view prefix = rest.substr(std::min(slash + 1, rest.size()));
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  S3Location location;
  location.bucket = rest.substr(0, slash);
  if (!IsBucketName(location.bucket))
    return FailWith(
        ErrorCode::kInvalid,
        fmt::format("{}: '{}' is no name of a bucket", Printable(uri), Printable(location.bucket)),
        "write s3://bucket/prefix; a bucket's name has 3 to 63 of a-z, 0-9, '.', '-'");
  if (!prefix.empty() && (!IsKey(prefix) || prefix.size() > kMaxPrefixBytes))
    return FailWith(
        ErrorCode::kInvalid,
        fmt::format("{}: '{}' is no prefix for a job", Printable(uri), Printable(prefix)),
        "use letters, digits and . _ = - between single slashes, no part that begins "
        "with '.', 512 bytes at most");
  if (!prefix.empty()) location.prefix = fmt::format("{}/", prefix);
  location.endpoint = endpoint;
  while (location.endpoint.ends_with('/')) location.endpoint.pop_back();
  if (!endpoint.empty()) RETURN_IF_ERROR(CheckEndpoint(location.endpoint));
  return location;
}

}  // namespace armada
