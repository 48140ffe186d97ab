// The places where credentials are looked for. Internal to aws/.
//
// Each returns kNotFound, with a few words on what is missing, when it is not configured: the next
// place is tried. Other errors are those of a place that is configured and does not give any, and
// end the search. Free functions, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "base/result.h"
#include "platform/http.h"

namespace armada {

Result<Credentials> CredentialsFromEnvironment();
// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN.
Result<Credentials> CredentialsFromWebIdentity(const HttpSend& send);
// The profile AWS_PROFILE, or "default", of ~/.aws/credentials and ~/.aws/config.
Result<Credentials> CredentialsFromProfile(const HttpSend& send);
// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI: ECS tasks, EKS pods.
Result<Credentials> CredentialsFromContainer(const HttpSend& send);
// IMDSv2.
Result<Credentials> CredentialsFromInstance(const HttpSend& send);

// The region of that profile; "".
std::string RegionOfProfile();

struct RoleRequest {
  std::string role_arn;
  std::string session_name;  // "" = "armada"
  std::string external_id;
  std::string region;  // of the STS endpoint; "" = us-east-1
};
// STS AssumeRole, signed with `source`.
Result<Credentials> AssumeRole(const HttpSend& send, const RoleRequest& role,
                               const Credentials& source);
// STS AssumeRoleWithWebIdentity, with the token in that file.
Result<Credentials> AssumeRoleWithToken(const HttpSend& send, const RoleRequest& role,
                                        const std::string& token_file);

// {"AccessKeyId", "SecretAccessKey", "Token" or "SessionToken", "Expiration"}, as metadata services
// and credential programs write it. kInvalid says what is missing, and never what is there.
Result<Credentials> ParseCredentials(std::string_view json, std::string_view source);

}  // namespace armada
