// HTTP/1.1 over TCP and TLS: one request, one reply. libcurl's only door.
//
// A client keeps connections and reuses them; thread-safe. A connection whose request was given up
// (timeout, lost reply) is closed and never reused, so that a reply can't be taken for another
// request's. A child process made by fork(2) begins with connections of its own. Redirects are not
// followed and nothing is sent twice: both are the caller's. (But a GET or HEAD for which a kept
// connection turns out to be closed is sent on a new one.) Proxies are taken from the environment
// (https_proxy, no_proxy), as curl does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace armada {

// In the order in which they are sent. Names of replies are in lower case.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";  // GET, HEAD, PUT, POST, DELETE
  std::string url;  // http:// or https://, percent-encoded; path and query sent as they are
  HttpHeaders headers;
  std::string_view body;  // of a PUT or POST; must stay valid during Send
  int64_t connect_timeout_ms = 5'000;
  int64_t timeout_ms = 60'000;        // of the whole exchange
  int64_t stall_timeout_ms = 30'000;  // so long below 1 KiB/s; to the second
  int64_t max_reply_bytes = int64_t{1} << 30;
};

struct HttpReply {
  int status = 0;  // 200, 404, …
  HttpHeaders headers;
  std::string body;
  // The first header of that (lower-case) name; "" when there is none.
  std::string_view Header(std::string_view name) const;
};

struct HttpClientOptions {
  std::string ca_file;  // PEM, instead of the system's; "" = the system's
  int max_connections = 16;
};

// Sends one request; what HttpClient does, or a test in its place.
// kUnavailable: it was certainly not received (name not resolved, connection refused, TLS refused).
// kUnknownOutcome: sent, in whole or part, and no whole reply came.
// kDenied: the peer's certificate is not trusted. kLimit: the reply is larger than allowed.
// kInvalid: no such URL, method or header. Any status is a reply, not an error.
using HttpSend = std::function<Result<HttpReply>(const HttpRequest&)>;

class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options = {});
  ~HttpClient();
  // Blocks; waits for a connection when max_connections are busy.
  Result<HttpReply> Send(const HttpRequest& request);

 private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

// "a b/ü" → "a%20b%2F%C3%BC": all but A-Z a-z 0-9 - . _ ~ (RFC 3986); '/' stays with keep_slash.
std::string PercentEncode(std::string_view text, bool keep_slash = false);
// The reverse; a '%' without two hexadecimal digits stays as it is, and so does '+'.
std::string PercentDecode(std::string_view text);

// "Thu, 26 Nov 2026 09:08:23 GMT" → ms since 1970; nullopt when it is no date.
std::optional<int64_t> ParseHttpDate(const std::string& text);

}  // namespace armada
