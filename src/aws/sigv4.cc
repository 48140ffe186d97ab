#include "aws/sigv4.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/sha256.h"
#include "base/text.h"
#include "platform/clock.h"

namespace armada {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

struct UrlParts {
  std::string_view host;  // with a port that is not the scheme's own, as the Host header has it
  std::string_view path;
  std::string_view query;
};

UrlParts SplitUrl(std::string_view url) {
  const size_t colon = url.find("://");
  CHECK(colon != url.npos);
  const std::string_view own_port = url.substr(0, colon) == "https" ? ":443" : ":80";
  url.remove_prefix(colon + 3);
  UrlParts parts;
  parts.host = url.substr(0, url.find_first_of("/?"));
  CHECK(!parts.host.empty());
  url.remove_prefix(parts.host.size());
  if (parts.host.ends_with(own_port)) parts.host.remove_suffix(own_port.size());
  const size_t question = url.find('?');
  parts.path = url.substr(0, question);
  if (question != url.npos) parts.query = url.substr(question + 1);
  return parts;
}

// Without dot segments and empty ones, then encoded once more; S3 alone takes the path as it is,
// since its keys may hold such segments.
std::string CanonicalPath(std::string_view path, std::string_view service) {
  if (path.empty()) return "/";
  if (service == "s3") return std::string(path);
  std::vector<std::string_view> kept;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..")
      kept.push_back(part);
    else if (!kept.empty())
      kept.pop_back();
  }
  std::string clean;
  for (const std::string_view part : kept) clean += fmt::format("/{}", part);
  if (kept.empty() || path.ends_with('/')) clean += '/';
  return PercentEncode(clean, true);
}

// In order of their encoded names, then values. What the URL should have encoded is encoded here,
// as the service does with what it receives.
std::string CanonicalQuery(std::string_view query) {
  if (query.empty()) return "";
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view pair : Split(query, '&')) {
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    pairs.emplace_back(PercentEncode(PercentDecode(pair.substr(0, equals))),
                       PercentEncode(PercentDecode(value)));
  }
  std::ranges::sort(pairs);
  std::string canonical;
  for (const auto& [name, value] : pairs)
    canonical += fmt::format("{}{}={}", canonical.empty() ? "" : "&", name, value);
  return canonical;
}

// Without blanks around it, and with one blank where there are several.
std::string CanonicalValue(std::string_view value) {
  std::string canonical;
  bool blank = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      blank = !canonical.empty();
      continue;
    }
    if (blank) canonical += ' ';
    blank = false;
    canonical += c;
  }
  return canonical;
}

// Proxies and libraries change these on the way.
bool IsSigned(std::string_view name) {
  return name != "user-agent" && name != "expect" && name != "transfer-encoding" &&
         name != "x-amzn-trace-id";
}

// Lower-case name → value, in the order of names; values of a name that comes twice are joined.
std::map<std::string, std::string> CanonicalHeaders(const HttpRequest& request,
                                                    std::string_view host) {
  std::map<std::string, std::string> canonical;
  for (const auto& [name, value] : request.headers) {
    const std::string lower = LowerCase(name);
    if (!IsSigned(lower)) continue;
    const auto [at, is_new] = canonical.try_emplace(lower, CanonicalValue(value));
    if (!is_new) at->second += "," + CanonicalValue(value);
  }
  canonical.try_emplace("host", host);
  return canonical;
}

// "2026-11-23T16:29:10Z" → "20261123T162910Z"
std::string CompactUtc(int64_t utc_ms) {
  std::string text = FormatUtc(utc_ms).text;
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

void SetHeader(HttpRequest* request, std::string_view name, std::string value) {
  std::erase_if(request->headers,
                [&](const auto& header) { return LowerCase(header.first) == LowerCase(name); });
  if (!value.empty()) request->headers.emplace_back(name, std::move(value));
}

std::string SigningKey(const Credentials& credentials, const SigningScope& scope,
                       std::string_view day) {
  std::string key = "AWS4" + credentials.secret_key;
  for (const std::string_view part : {day, scope.region, scope.service})
    key = HmacSha256(key, part);
  return HmacSha256(key, "aws4_request");
}

}  // namespace

void SignV4(const Credentials& credentials, const SigningScope& scope, int64_t utc_ms,
            HttpRequest* request) {
  const std::string time = CompactUtc(utc_ms);
  const std::string day = time.substr(0, 8);
  const std::string body_hash = Sha256Hex(request->body);
  SetHeader(request, "Authorization", "");
  SetHeader(request, "x-amz-date", time);
  SetHeader(request, "x-amz-content-sha256", scope.service == "s3" ? body_hash : "");
  SetHeader(request, "x-amz-security-token", credentials.session_token);

  const UrlParts url = SplitUrl(request->url);
  std::string canonical =
      fmt::format("{}\n{}\n{}\n", request->method, CanonicalPath(url.path, scope.service),
                  CanonicalQuery(url.query));
  std::string names;
  for (const auto& [name, value] : CanonicalHeaders(*request, url.host)) {
    canonical += fmt::format("{}:{}\n", name, value);
    names += fmt::format("{}{}", names.empty() ? "" : ";", name);
  }
  canonical += fmt::format("\n{}\n{}", names, body_hash);

  const std::string within = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, within, Sha256Hex(canonical));
  request->headers.emplace_back(
      "Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                                   kAlgorithm, credentials.access_key, within, names,
                                   HmacSha256Hex(SigningKey(credentials, scope, day), to_sign)));
}

}  // namespace armada
