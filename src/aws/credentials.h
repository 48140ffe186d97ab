// Credentials for AWS and what speaks its protocols, found where the AWS SDKs find them.
//
// The order: environment → web identity → profile (static, source_profile, credential_process) →
// container endpoint → instance metadata (IMDSv2). Secrets are never put into a message or a log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "platform/http.h"

namespace armada {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;   // "" = none
  int64_t expires_utc_ms = 0;  // 0: never
  std::string source;          // "environment", "profile acme in ~/.aws/credentials", …
};

// Where credentials come from. Thread-safe.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  // Credentials that are good for at least some minutes; blocks while they are fetched. The first
  // call looks for them, later ones refresh those that expire (early: a failed refresh is no error
  // while the old ones last). kDenied: there are none; the message says where was looked and what
  // was wrong in each place. kUnavailable: their source does not answer; try later.
  virtual Result<Credentials> Get() = 0;
  // After the service refused them as expired or unknown: fetch anew with the next Get.
  virtual void Forget() = 0;
};

// The chain above. `send` is used for web identity (STS), container and instance metadata.
std::unique_ptr<CredentialsProvider> NewCredentialsChain(HttpSend send);

// The region as the SDKs find it: AWS_REGION, AWS_DEFAULT_REGION, the profile's; "" when none says.
std::string ConfiguredRegion();

}  // namespace armada
