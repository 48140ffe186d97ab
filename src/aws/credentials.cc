#include "aws/credentials.h"

#include <utility>

#include "aws/credentials_sources.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "platform/thread.h"

namespace armada {
namespace {

constexpr int64_t kRefreshAheadMs = 300'000;  // new ones are fetched that long before the end
constexpr int64_t kRetryMs = 30'000;          // and again, when that fails
constexpr int64_t kGoodForMs = 10'000;        // less is not worth a request

// The order of the AWS SDKs ("Standardized credential providers", AWS SDKs and Tools Reference
// Guide).
class CredentialsChain : public CredentialsProvider {
 public:
  explicit CredentialsChain(HttpSend send) : send_(std::move(send)) {}

  Result<Credentials> Get() override {
    MutexLock lock(mutex_);
    for (;;) {
      const int64_t now_ms = WallMs();
      const bool usable = Lasts(now_ms, kGoodForMs);
      if (usable && (Lasts(now_ms, kRefreshAheadMs) || now_ms < next_try_ms_ || fetching_))
        return held_;
      if (!fetching_) break;
      fetched_.wait(lock);
    }
    fetching_ = true;
    lock.unlock();
    Result<Credentials> found = Find();
    lock.lock();
    fetching_ = false;
    fetched_.notify_all();
    next_try_ms_ = WallMs() + kRetryMs;
    if (found) {
      has_ = true;
      held_ = *found;
    } else if (Lasts(WallMs(), kGoodForMs)) {
      return held_;
    }
    return found;
  }

  void Forget() override {
    MutexLock lock(mutex_);
    has_ = false;
  }

 private:
  bool Lasts(int64_t now_ms, int64_t ms) const {
    return has_ && (held_.expires_utc_ms == 0 || now_ms + ms < held_.expires_utc_ms);
  }

  Result<Credentials> Find() const {
    const HttpSend& send = send_;
    const std::pair<const char*, std::function<Result<Credentials>()>> places[] = {
        {"environment", CredentialsFromEnvironment},
        {"web identity", [&] { return CredentialsFromWebIdentity(send); }},
        {"profile", [&] { return CredentialsFromProfile(send); }},
        {"container", [&] { return CredentialsFromContainer(send); }},
        {"instance metadata", [&] { return CredentialsFromInstance(send); }}};
    std::string looked;
    for (const auto& [name, look] : places) {
      Result<Credentials> found = look();
      if (found) return found;
      if (found.error().code != ErrorCode::kNotFound) return Annotate(found.error(), name);
      looked += fmt::format("\n  {}: {}", name, found.error().message);
    }
    return FailWith(ErrorCode::kDenied, "no AWS credentials; looked in" + looked,
                    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws configure");
  }

  const HttpSend send_;
  Mutex mutex_;
  CondVar fetched_;
  bool fetching_ = false;
  bool has_ = false;
  Credentials held_;
  int64_t next_try_ms_ = 0;
};

}  // namespace

std::unique_ptr<CredentialsProvider> NewCredentialsChain(HttpSend send) {
  return std::make_unique<CredentialsChain>(std::move(send));
}

std::string ConfiguredRegion() {
  const std::string region = FirstEnv({"AWS_REGION", "AWS_DEFAULT_REGION"});
  return region.empty() ? RegionOfProfile() : region;
}

Result<Credentials> CredentialsFromEnvironment() {
  const std::string key = FirstEnv({"AWS_ACCESS_KEY_ID"});
  const std::string secret = FirstEnv({"AWS_SECRET_ACCESS_KEY"});
  if (key.empty() && secret.empty())
    return Fail(ErrorCode::kNotFound, "AWS_ACCESS_KEY_ID is not set");
  if (key.empty() || secret.empty())
    return FailWith(ErrorCode::kDenied,
                    fmt::format("of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only {} is set",
                                key.empty() ? "the second" : "the first"),
                    "set both, or neither");
  return Credentials{.access_key = key,
                     .secret_key = secret,
                     .session_token = FirstEnv({"AWS_SESSION_TOKEN"}),
                     .source = "environment"};
}

}  // namespace armada
