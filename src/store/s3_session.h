// S3Session: sends requests to one bucket until an answer is worth something. It signs, tries
// again, learns the bucket's region and the service's time, and has expired credentials fetched
// anew. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "base/random.h"
#include "base/result.h"
#include "platform/clock.h"
#include "platform/http.h"
#include "platform/process.h"
#include "platform/thread.h"
#include "store/s3_location.h"
#include "store/s3_reply.h"

namespace armada {

// What a session stands on; tests put their own in.
struct S3Wiring {
  HttpSend send;
  std::shared_ptr<CredentialsProvider> credentials;
  std::string region;  // "": not known; "us-east-1" is tried first, and the answer says more
  std::function<int64_t()> now_ms = WallMs;  // what is signed, and how long a call takes
  std::function<void(int64_t)> pause = SleepMs;
  // Whether this process was asked to leave: then nothing is tried twice, or waited for for long.
  std::function<bool()> leaving = [] { return StopSignal() != 0; };
};

// Connections and credentials of its own. What `options` leaves open is taken from the environment:
// AWS_CA_BUNDLE; the region and credentials where the AWS SDKs find them.
S3Wiring WireS3(const StoreOptions& options);
// The endpoint of `options`, else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL; "": AWS itself.
std::string S3Endpoint(const StoreOptions& options);

inline constexpr int kS3Connections = 32;  // of one session

enum class S3Call : uint8_t { kCreate, kPut, kGet, kList, kDelete };

// HTTP requests sent, each as often as it was sent: what S3 counts and charges for.
struct S3RequestCounts {
  int64_t creates = 0;
  int64_t puts = 0;
  int64_t gets = 0;
  int64_t lists = 0;
  int64_t deletes = 0;
  int64_t retries = 0;  // those above that were not the first of their call
};

struct S3Request {
  S3Call call = S3Call::kGet;
  std::string_view key;  // below the location's prefix; "" is the bucket itself
  std::string query;     // percent-encoded, without '?'
  HttpHeaders headers;
  std::string_view body;
};

// "HTTP 503 SlowDown: Please reduce your request rate."
std::string WhatS3Said(const HttpReply& reply);

class S3Session {
 public:
  S3Session(S3Location location, S3Wiring wiring);

  // The reply, whose status is 2xx, or what Refusal turns into an error. Blocks, for all tries.
  // kUnavailable: not received, or a read that was not answered, also when tried again.
  // kUnknownOutcome: a write whose answer is not known. A create is not sent again then, since what
  //   became of it is for the caller to find out; all else may be.
  // kDenied: no credentials, or a certificate that is not trusted. kInvalid, kLimit as HttpSend.
  Result<HttpReply> Send(const S3Request& request);

  // At most `limit` objects of the whole bucket whose whole key begins with `prefix` and is greater
  // than `after`. As Send and Refusal; kCorrupt for what is no listing.
  Result<S3Listing> List(std::string_view prefix, std::string_view after, int limit);

  // What a reply that is no success means, with what to do about it.
  std::unexpected<Error> Refusal(const S3Request& request, const HttpReply& reply) const;

  S3RequestCounts counts() const;
  const S3Location& location() const { return location_; }
  std::string NameOf(std::string_view key) const;  // "s3://bucket/prefix/key"

 private:
  struct Tries;
  Result<HttpReply> SendOnce(const S3Request& request, Tries* tries);
  bool Repair(const HttpReply& reply, Tries* tries);
  bool LearnRegion(const HttpReply& reply, std::string_view asked_in);
  bool LearnTime(const HttpReply& reply);
  void Pause(int tries);

  const S3Location location_;
  const S3Wiring wiring_;
  std::atomic<int64_t> clock_ahead_ms_{0};  // the service's time − ours
  std::array<std::atomic<int64_t>, 5> sent_{};
  std::atomic<int64_t> retries_{0};
  mutable Mutex mutex_;
  std::string region_;
  std::string credentials_source_;  // of the last request
  Random random_;
};

}  // namespace armada
