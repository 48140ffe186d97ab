#include "store/s3_session.h"

#include <algorithm>
#include <utility>

#include "aws/sigv4.h"
#include "base/check.h"
#include "base/text.h"
#include "platform/entropy.h"
#include "platform/env.h"

namespace armada {
namespace {

// Those who ask are patient too (ledger/settle.h): a few quick tries are enough here.
constexpr int kMaxTries = 3;
constexpr int64_t kNoTryAfterMs = 4'000;  // since the call began
// Before try n + 1: anything up to the first pause times 3^n ("full jitter": those who failed
// together do not come back together).
constexpr int64_t kFirstPauseMs = 200;
constexpr int64_t kPauseGrowth = 3;

constexpr int64_t kConnectTimeoutMs = 5'000;
constexpr int64_t kStallTimeoutMs = 20'000;
constexpr int64_t kLeavingStallMs = 5'000;  // once this process was asked to leave
constexpr int64_t kReplyTimeoutMs = 30'000;
constexpr int64_t kSlowestBytesPerMs = 32;             // what an upload is given time for
constexpr int64_t kReadTimeoutMs = 3'600'000;          // 5 GiB at 1.5 MB/s
constexpr int64_t kMaxObjectBytes = int64_t{5} << 30;  // of one PutObject
constexpr int64_t kMaxAnswerBytes = 1 << 20;           // to a write

constexpr std::string_view kFirstRegion = "us-east-1";

std::string_view MethodOf(S3Call call) {
  switch (call) {
    case S3Call::kCreate:
    case S3Call::kPut:
      return "PUT";
    case S3Call::kDelete:
      return "DELETE";
    case S3Call::kGet:
    case S3Call::kList:
      break;
  }
  return "GET";
}

bool IsRead(S3Call call) { return call == S3Call::kGet || call == S3Call::kList; }

int64_t TimeoutOf(const S3Request& request) {
  if (IsRead(request.call)) return kReadTimeoutMs;
  return kReplyTimeoutMs + static_cast<int64_t>(request.body.size()) / kSlowestBytesPerMs;
}

bool IsOneOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

// Whether another try would end the same way, and nothing was written. An answer to a write that is
// too large came after the write.
bool IsFinal(const Error& error, S3Call call) {
  if (error.code == ErrorCode::kLimit) return IsRead(call);
  return error.code != ErrorCode::kUnavailable && error.code != ErrorCode::kUnknownOutcome;
}

S3Fault FaultOf(const HttpReply& reply) { return ParseS3Fault(reply.body).value_or(S3Fault{}); }

// Documented as refused before anything is done, and worth another try.
bool IsRefusedForNow(const HttpReply& reply) {
  return reply.status == 429 || (reply.status == 400 && FaultOf(reply).code == "RequestTimeout");
}

// 409: a racing delete, or another conditional write under way. 5xx: whatever it says, the write
// may have been applied; S3 promises nothing about it, not even for SlowDown.
bool IsUnknown(const HttpReply& reply) {
  const bool refused = reply.status == 501 && FaultOf(reply).code == "NotImplemented";
  return reply.status == 409 || (reply.status >= 500 && !refused);
}

}  // namespace

// What a call knows of its tries.
struct S3Session::Tries {
  std::string region;  // of the last one
  // Each of these is put right once.
  bool repaired_region = false;
  bool repaired_time = false;
  bool repaired_credentials = false;
};

S3Wiring WireS3(const StoreOptions& options) {
  HttpClientOptions http;
  http.ca_file = options.ca_file.empty() ? FirstEnv({"AWS_CA_BUNDLE"}) : options.ca_file;
  http.max_connections = kS3Connections;
  const auto client = std::make_shared<HttpClient>(std::move(http));
  S3Wiring wiring;
  wiring.send = [client](const HttpRequest& request) { return client->Send(request); };
  wiring.credentials = NewCredentialsChain(wiring.send);
  wiring.region = options.region.empty() ? ConfiguredRegion() : options.region;
  return wiring;
}

std::string S3Endpoint(const StoreOptions& options) {
  return options.endpoint.empty() ? FirstEnv({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"})
                                  : options.endpoint;
}

S3Session::S3Session(S3Location location, S3Wiring wiring)
    : location_(std::move(location)),
      wiring_(std::move(wiring)),
      region_(wiring_.region.empty() ? kFirstRegion : wiring_.region),
      random_(EntropyRandom()) {}

std::string S3Session::NameOf(std::string_view key) const {
  return fmt::format("{}/{}", location_.Uri(), key);
}

void S3Session::Pause(int tries) {
  int64_t most = kFirstPauseMs;
  for (int i = 1; i < tries; ++i) most *= kPauseGrowth;
  int64_t pause = 0;
  {
    MutexLock lock(mutex_);
    pause = random_.Between(0, most);
  }
  wiring_.pause(pause);
}

Result<HttpReply> S3Session::SendOnce(const S3Request& request, Tries* tries) {
  ASSIGN_OR_RETURN(const Credentials credentials, wiring_.credentials->Get());
  {
    MutexLock lock(mutex_);
    credentials_source_ = credentials.source;
    tries->region = region_;
  }
  HttpRequest http;
  http.method = MethodOf(request.call);
  http.url = location_.BucketUrl(tries->region) + "/";
  if (!request.key.empty()) http.url += PercentEncode(location_.prefix, true);
  http.url += PercentEncode(request.key, true);
  if (!request.query.empty()) http.url += "?" + request.query;
  http.headers = request.headers;
  http.headers.emplace_back("User-Agent", "armada");
  http.body = request.body;
  http.connect_timeout_ms = kConnectTimeoutMs;
  http.timeout_ms = TimeoutOf(request);
  http.stall_timeout_ms = wiring_.leaving() ? kLeavingStallMs : kStallTimeoutMs;
  http.max_reply_bytes = IsRead(request.call) ? kMaxObjectBytes : kMaxAnswerBytes;
  SignV4(credentials, {.region = tries->region, .service = "s3"},
         wiring_.now_ms() + clock_ahead_ms_, &http);
  ++sent_[static_cast<size_t>(request.call)];
  return wiring_.send(http);
}

bool S3Session::LearnRegion(const HttpReply& reply, std::string_view asked_in) {
  std::string said(reply.Header("x-amz-bucket-region"));
  if (said.empty()) said = FaultOf(reply).region;
  const bool is_region = !said.empty() && std::ranges::all_of(said, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!is_region || said == asked_in) return false;
  MutexLock lock(mutex_);
  region_ = said;
  return true;
}

bool S3Session::LearnTime(const HttpReply& reply) {
  const auto date_ms = ParseHttpDate(std::string(reply.Header("date")));
  if (!date_ms) return false;
  clock_ahead_ms_ = *date_ms - wiring_.now_ms();
  return true;
}

// Whether something was put right, so that the same request may now succeed.
bool S3Session::Repair(const HttpReply& reply, Tries* tries) {
  const std::string code = FaultOf(reply).code;
  if (IsOneOf(code, {"ExpiredToken", "TokenRefreshRequired", "InvalidAccessKeyId"})) {
    if (std::exchange(tries->repaired_credentials, true)) return false;
    wiring_.credentials->Forget();
    return true;
  }
  if (code == "RequestTimeTooSkewed")
    return !std::exchange(tries->repaired_time, true) && LearnTime(reply);
  const bool elsewhere = IsOneOf(code, {"PermanentRedirect", "TemporaryRedirect",
                                        "AuthorizationHeaderMalformed", "Redirect"}) ||
                         reply.status == 301 || reply.status == 307;
  return elsewhere && !std::exchange(tries->repaired_region, true) &&
         LearnRegion(reply, tries->region);
}

Result<HttpReply> S3Session::Send(const S3Request& request) {
  Tries tries;
  bool perhaps_written = false;
  const int64_t begin_ms = wiring_.now_ms();
  for (int number = 1;;) {
    Result<HttpReply> reply = SendOnce(request, &tries);
    if (!reply && IsFinal(reply.error(), request.call)) return reply;
    if (reply && reply->status < 500 && Repair(*reply, &tries)) {
      ++retries_;
      continue;  // bounded: each repair happens once
    }
    const bool unknown = reply ? IsUnknown(*reply) : reply.error().code != ErrorCode::kUnavailable;
    if (reply && !unknown && !IsRefusedForNow(*reply)) return reply;
    perhaps_written |= unknown && !IsRead(request.call);
    const bool resend = !(unknown && request.call == S3Call::kCreate);
    const bool in_time = wiring_.now_ms() - begin_ms <= kNoTryAfterMs && !wiring_.leaving();
    if (!resend || number == kMaxTries || !in_time) {
      const std::string said = reply ? WhatS3Said(*reply) : reply.error().message;
      const std::string tried = number > 1 ? fmt::format(" ({} tries)", number) : "";
      return FailWith(perhaps_written ? ErrorCode::kUnknownOutcome : ErrorCode::kUnavailable,
                      fmt::format("{}: {}{}", NameOf(request.key), said, tried),
                      reply ? "" : reply.error().remedy);
    }
    Pause(number);
    ++number;
    ++retries_;
  }
}

Result<S3Listing> S3Session::List(std::string_view prefix, std::string_view after, int limit) {
  S3Request request{.call = S3Call::kList};
  request.query = fmt::format("encoding-type=url&list-type=2&max-keys={}&prefix={}", limit,
                              PercentEncode(prefix));
  if (!after.empty()) request.query += "&start-after=" + PercentEncode(after);
  ASSIGN_OR_RETURN(const HttpReply reply, Send(request));
  if (reply.status != 200) return Refusal(request, reply);
  Result<S3Listing> listing = ParseS3Listing(reply.body);
  if (!listing) return Annotate(std::move(listing).error(), location_.Uri());
  return listing;
}

S3RequestCounts S3Session::counts() const {
  const auto of = [&](S3Call call) { return sent_[static_cast<size_t>(call)].load(); };
  return {.creates = of(S3Call::kCreate),
          .puts = of(S3Call::kPut),
          .gets = of(S3Call::kGet),
          .lists = of(S3Call::kList),
          .deletes = of(S3Call::kDelete),
          .retries = retries_};
}

}  // namespace armada
