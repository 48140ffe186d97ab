#include <algorithm>
#include <csignal>
#include <ctime>
#include <utility>

#include <curl/curl.h>

#include "base/check.h"
#include "base/text.h"
#include "platform/http.h"
#include "platform/process.h"
#include "platform/thread.h"

namespace armada {
namespace {

constexpr int64_t kMaxHeaderBytes = 256 << 10;
constexpr long kStalledBytesPerS = 1024;
constexpr long kBufferBytes = 256 << 10;
// Servers close what is idle; a connection that was idle for longer than this is not tried.
constexpr long kMaxIdleSeconds = 15;

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;

// A list of "Name: value" lines as curl takes them.
class HeaderLines {
 public:
  HeaderLines() = default;
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;
  ~HeaderLines() { curl_slist_free_all(lines_); }
  void Add(const std::string& line) {
    curl_slist* const grown = curl_slist_append(lines_, line.c_str());
    CHECK(grown != nullptr);
    lines_ = grown;
  }
  curl_slist* get() const { return lines_; }

 private:
  curl_slist* lines_ = nullptr;
};

// One request under way: what curl's callbacks fill and empty.
struct Exchange {
  std::string_view unsent;
  HttpReply reply;
  int64_t max_reply_bytes = 0;
  int64_t header_bytes = 0;
  bool too_large = false;
  bool head_ended = false;  // by an empty line; curl takes a head that was cut for a whole one
};

size_t OnBody(char* bytes, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const size_t length = size * count;
  if (std::cmp_greater(
          length, exchange.max_reply_bytes - static_cast<int64_t>(exchange.reply.body.size()))) {
    exchange.too_large = true;
    return 0;  // curl gives the exchange up
  }
  exchange.reply.body.append(bytes, length);
  return length;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

size_t OnHeader(char* bytes, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(bytes, size * count);
  exchange.header_bytes += static_cast<int64_t>(line.size());
  if (exchange.header_bytes > kMaxHeaderBytes) {
    exchange.too_large = true;
    return 0;
  }
  // Every reply begins with a status line; the headers of an interim one (100) are forgotten.
  if (line.starts_with("HTTP/")) exchange.reply.headers.clear();
  exchange.head_ended = Trimmed(line).empty();
  const size_t colon = line.find(':');
  if (colon == line.npos || line.starts_with("HTTP/")) return line.size();
  exchange.reply.headers.emplace_back(LowerCase(Trimmed(line.substr(0, colon))),
                                      Trimmed(line.substr(colon + 1)));
  return line.size();
}

size_t OnSend(char* bytes, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const size_t length = std::min(size * count, exchange.unsent.size());
  exchange.unsent.copy(bytes, length);
  exchange.unsent.remove_prefix(length);
  return length;
}

bool HasLineBreak(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

// "PUT https://host/path": a query may be long, and a URL may hold a password.
std::string Describe(const HttpRequest& request) {
  return fmt::format("{} {}", request.method, request.url.substr(0, request.url.find('?')));
}

Status CheckRequest(const HttpRequest& request) {
  static constexpr std::string_view kMethods[] = {"GET", "HEAD", "PUT", "POST", "DELETE"};
  if (std::ranges::find(kMethods, request.method) == std::end(kMethods))
    return Fail(ErrorCode::kInvalid, "there is no HTTP method '{}'", request.method);
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://"))
    return FailWith(ErrorCode::kInvalid, fmt::format("{}: not an HTTP URL", request.url),
                    "write http://… or https://…");
  bool broken = HasLineBreak(request.url);
  for (const auto& [name, value] : request.headers)
    broken |= name.empty() || name.contains(':') || HasLineBreak(name) || HasLineBreak(value);
  if (broken) return Fail(ErrorCode::kInvalid, "a URL or header of a request has a line break");
  return {};
}

bool SendsBody(const HttpRequest& request) {
  return request.method == "PUT" || request.method == "POST";
}

bool IsRead(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

template <class Value>
void Set(CURL* handle, CURLoption option, Value value) {
  CHECK(curl_easy_setopt(handle, option, value) == CURLE_OK);
}

void SetHeaders(CURL* handle, const HttpRequest& request, HeaderLines* lines) {
  // What curl would add by itself, and what waits for an answer before the body is sent.
  for (const char* own : {"Accept:", "Expect:"}) lines->Add(own);
  for (const auto& [name, value] : request.headers)
    lines->Add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  Set(handle, CURLOPT_HTTPHEADER, lines->get());
}

void SetBody(CURL* handle, const HttpRequest& request, Exchange* exchange) {
  if (request.method == "HEAD") Set(handle, CURLOPT_NOBODY, 1L);
  if (SendsBody(request)) {
    Set(handle, CURLOPT_UPLOAD, 1L);
    Set(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (request.method == "POST" || request.method == "DELETE")
    Set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  // A kept connection may turn out to be closed when the request is already on its way. curl then
  // sends it once more, unless bytes of its body are gone, which it can't fetch again from here. So
  // that nothing which writes is ever sent twice, a write without a body takes a new connection.
  if (!IsRead(request) && request.body.empty()) Set(handle, CURLOPT_FRESH_CONNECT, 1L);
  Set(handle, CURLOPT_READFUNCTION, &OnSend);
  Set(handle, CURLOPT_READDATA, exchange);
  Set(handle, CURLOPT_WRITEFUNCTION, &OnBody);
  Set(handle, CURLOPT_WRITEDATA, exchange);
  Set(handle, CURLOPT_HEADERFUNCTION, &OnHeader);
  Set(handle, CURLOPT_HEADERDATA, exchange);
}

void SetConnection(CURL* handle, const HttpRequest& request, const std::string& ca_file) {
  Set(handle, CURLOPT_NOSIGNAL, 1L);
  Set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(handle, CURLOPT_PATH_AS_IS, 1L);
  Set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file.empty()) Set(handle, CURLOPT_CAINFO, ca_file.c_str());
  Set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  Set(handle, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  Set(handle, CURLOPT_BUFFERSIZE, kBufferBytes);
  Set(handle, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  Set(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));
  Set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  Set(handle, CURLOPT_LOW_SPEED_LIMIT, kStalledBytesPerS);
  Set(handle, CURLOPT_LOW_SPEED_TIME,
      static_cast<long>(std::max<int64_t>(request.stall_timeout_ms / 1000, 1)));
}

bool IsTrustProblem(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR;
}

// What an exchange that ended without a whole reply means.
std::unexpected<Error> Failure(CURL* handle, CURLcode code, const char* detail,
                               const HttpRequest& request, const Exchange& exchange) {
  const std::string where = Describe(request);
  const std::string why = *detail == '\0' ? curl_easy_strerror(code) : detail;
  if (exchange.too_large)
    return Fail(ErrorCode::kLimit, "{}: the reply is larger than {} bytes", where,
                request.max_reply_bytes);
  if (IsTrustProblem(code))
    return FailWith(ErrorCode::kDenied,
                    fmt::format("{}: the server's certificate is not trusted: {}", where, why),
                    "name the file of its certificate authority (AWS_CA_BUNDLE), or install it in "
                    "the system");
  if (code == CURLE_SSL_CACERT_BADFILE)
    return FailWith(ErrorCode::kInvalid, fmt::format("{}: {}", where, why),
                    "name a PEM file of certificate authorities (AWS_CA_BUNDLE), or install the "
                    "system's (Debian: ca-certificates)");
  // Bytes of the request that were handed to the system; with none, nobody can have received it.
  long sent = 0;
  const bool known = curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK;
  if (known && sent == 0) {
    const bool no_url = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
    return Fail(no_url ? ErrorCode::kInvalid : ErrorCode::kUnavailable, "{}: not sent: {}", where,
                why);
  }
  return Fail(ErrorCode::kUnknownOutcome, "{}: sent, but no whole reply came: {}", where, why);
}

// Whether the reply's end was told by more than the end of its connection, which a failure looks
// like too.
bool IsWhole(const HttpRequest& request, const Exchange& exchange, long status) {
  if (!exchange.head_ended) return false;
  const bool has_body = request.method != "HEAD" && status != 204 && status != 304;
  return !has_body || !exchange.reply.Header("content-length").empty() ||
         !exchange.reply.Header("transfer-encoding").empty();
}

// Keeps SIGPIPE from this thread while it lives: OpenSSL's writes to a connection that the peer has
// closed raise it, and curl leaves signals alone as it is told to.
class PipeSignalBlock {
 public:
  PipeSignalBlock() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  PipeSignalBlock(const PipeSignalBlock&) = delete;
  PipeSignalBlock& operator=(const PipeSignalBlock&) = delete;
  ~PipeSignalBlock() {
    constexpr timespec kNow = {};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &kNow);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

CURLcode Perform(CURL* handle) {
  const PipeSignalBlock block;
  return curl_easy_perform(handle);
}

void StartCurl() {
  // Once a process, before the first handle; ended by the end of the process.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(started == CURLE_OK);
}

}  // namespace

// Handles, each with a connection to the last hosts it spoke to. A handle is lent to one Send; what
// did not end with a whole reply is not put back, which closes its connections.
struct HttpClient::Pool {
  explicit Pool(HttpClientOptions given) : options(std::move(given)) {}

  Handle Take() {
    MutexLock lock(mutex);
    returned.wait(lock, [&] { return busy < options.max_connections; });
    ++busy;
    if (const int now = ProcessId(); now != process) {
      // The parent's connections: neither used nor closed, which the peer would see.
      for (Handle& handle : idle) (void)handle.release();
      idle.clear();
      process = now;
    }
    if (idle.empty()) return Handle(curl_easy_init());
    Handle handle = std::move(idle.back());
    idle.pop_back();
    return handle;
  }

  // An empty handle gives only the place back.
  void Return(Handle handle) {
    {
      MutexLock lock(mutex);
      --busy;
      if (handle != nullptr) idle.push_back(std::move(handle));
    }
    returned.notify_one();
  }

  const HttpClientOptions options;
  Mutex mutex;
  CondVar returned;
  int busy = 0;
  int process = ProcessId();
  std::vector<Handle> idle;
};

HttpClient::HttpClient(HttpClientOptions options) {
  CHECK(options.max_connections > 0);
  StartCurl();
  pool_ = std::make_unique<Pool>(std::move(options));
}

HttpClient::~HttpClient() = default;

Result<HttpReply> HttpClient::Send(const HttpRequest& request) {
  RETURN_IF_ERROR(CheckRequest(request));
  CHECK(SendsBody(request) || request.body.empty());
  Handle handle = pool_->Take();
  CHECK(handle != nullptr);
  Exchange exchange{.unsent = request.body, .max_reply_bytes = request.max_reply_bytes};
  HeaderLines lines;
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_reset(handle.get());
  SetConnection(handle.get(), request, pool_->options.ca_file);
  SetHeaders(handle.get(), request, &lines);
  SetBody(handle.get(), request, &exchange);
  Set(handle.get(), CURLOPT_ERRORBUFFER, detail);
  Set(handle.get(), CURLOPT_URL, request.url.c_str());
  const CURLcode code = Perform(handle.get());
  long status = 0;
  CHECK(curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status) == CURLE_OK);
  if (code != CURLE_OK || !IsWhole(request, exchange, status)) {
    const CURLcode why = code == CURLE_OK ? CURLE_PARTIAL_FILE : code;
    const std::unexpected<Error> failure = Failure(handle.get(), why, detail, request, exchange);
    handle.reset();
    pool_->Return(nullptr);
    return failure;
  }
  exchange.reply.status = static_cast<int>(status);
  curl_easy_reset(handle.get());  // nothing of this frame stays in it
  pool_->Return(std::move(handle));
  return std::move(exchange.reply);
}

}  // namespace armada
