// An S3 server in memory that is called instead of sent to, for tests of S3Store. It keeps what it
// was asked, and a test may answer in its place. Thread-safe, but for `before`.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "platform/thread.h"
#include "store/s3_session.h"

namespace armada {

class FakeS3 : public std::enable_shared_from_this<FakeS3> {
 public:
  // Of "path-style" URLs: http://127.0.0.1/bucket/key. What a test sets to answer first; nullopt
  // leaves the request to the map.
  std::function<std::optional<Result<HttpReply>>(const HttpRequest&)> before;

  // Of a session that never sleeps, at noon.
  S3Wiring Wiring() {
    S3Wiring wiring;
    wiring.send = [self = shared_from_this()](const HttpRequest& http) { return self->Ask(http); };
    wiring.credentials = std::make_shared<Keys>(this);
    wiring.now_ms = [] { return kNoonMs; };
    wiring.pause = [self = shared_from_this()](int64_t ms) {
      MutexLock lock(self->mutex_);
      self->slept.push_back(ms);
    };
    return wiring;
  }

  static constexpr int64_t kNoonMs = 1785499200000;  // 2026-07-31T12:00:00Z
  std::vector<HttpRequest> asked;                    // without bodies
  std::vector<int64_t> slept;
  std::atomic<int> forgotten = 0;  // times that credentials were

  static HttpReply Error(int status, std::string_view code, std::string_view more = "") {
    return {
        .status = status,
        .body = fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code>{}</Error>", code, more)};
  }
  static std::string HeaderOf(const HttpRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers)
      if (key == name) return value;
    return "";
  }

 private:
  class Keys final : public CredentialsProvider {
   public:
    explicit Keys(FakeS3* fake) : fake_(fake) {}
    Result<Credentials> Get() override {
      return Credentials{.access_key = fmt::format("key{}", fake_->forgotten.load()),
                         .secret_key = "secret",
                         .source = "this test"};
    }
    void Forget() override { ++fake_->forgotten; }

   private:
    FakeS3* const fake_;
  };

  Result<HttpReply> Ask(const HttpRequest& request) {
    MutexLock lock(mutex_);
    HttpRequest kept = request;
    kept.body = {};
    asked.push_back(std::move(kept));
    if (before)
      if (auto reply = before(request)) return *reply;
    const std::string_view url(request.url);
    const std::string_view rest = url.substr(std::string_view("http://127.0.0.1/bucket/").size());
    const size_t question = std::min(rest.find('?'), rest.size());
    const std::string key = PercentDecode(rest.substr(0, question));
    if (key.empty()) return List(rest.substr(question + 1));
    const auto found = objects_.find(key);
    if (request.method == "PUT") {
      if (HeaderOf(request, "If-None-Match") == "*" && found != objects_.end())
        return Error(412, "PreconditionFailed");
      objects_.insert_or_assign(key, std::string(request.body));
      return HttpReply{.status = 200};
    }
    if (request.method == "DELETE") {
      if (found != objects_.end()) objects_.erase(found);
      return HttpReply{.status = 204};
    }
    if (found == objects_.end()) return Error(404, "NoSuchKey");
    return Read(found->second, HeaderOf(request, "Range"));
  }

  static HttpReply Read(const std::string& bytes, const std::string& range) {
    if (range.empty()) return {.status = 200, .body = bytes};
    const size_t wanted = std::stoul(range.substr(std::string("bytes=-").size()));
    if (bytes.empty()) return Error(416, "InvalidRange", "<ActualObjectSize>0</ActualObjectSize>");
    const size_t begin = bytes.size() - std::min(wanted, bytes.size());
    return {.status = 206,
            .headers = {{"content-range",
                         fmt::format("bytes {}-{}/{}", begin, bytes.size() - 1, bytes.size())}},
            .body = bytes.substr(begin)};
  }

  HttpReply List(std::string_view query) const {
    std::map<std::string, std::string> given;
    for (const std::string_view pair : Split(query, '&'))
      given[std::string(pair.substr(0, pair.find('=')))] =
          PercentDecode(pair.substr(pair.find('=') + 1));
    const size_t most = std::stoul(given["max-keys"]);
    std::string contents;
    bool truncated = false;
    size_t listed = 0;
    for (const auto& [key, bytes] : objects_) {
      if (!key.starts_with(given["prefix"]) || key <= given["start-after"]) continue;
      truncated = listed == most;
      if (truncated) break;
      ++listed;
      contents += fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>",
                              PercentEncode(key, true), bytes.size());
    }
    return {.status = 200,
            .body = fmt::format("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/"
                                "\"><EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>{}"
                                "</ListBucketResult>",
                                truncated, contents)};
  }

  Mutex mutex_;
  std::map<std::string, std::string> objects_;
};

}  // namespace armada
