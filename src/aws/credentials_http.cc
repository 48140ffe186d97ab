// Credentials from services: STS, the container's endpoint, the instance's metadata (IMDSv2).
#include <pugixml.hpp>

#include "aws/credentials_sources.h"
#include "aws/sigv4.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utc.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "platform/file.h"

namespace armada {
namespace {

constexpr int64_t kMaxReplyBytes = 1 << 20;
constexpr int64_t kNearMs = 1'000;  // a metadata service is near, or there is none
constexpr int64_t kMaxTokenBytes = 64 << 10;
constexpr char kInstanceHost[] = "http://169.254.169.254";
constexpr char kTaskHost[] = "http://169.254.170.2";

Result<std::string> ReadTokenFile(const std::string& path) {
  Result<std::string> token = ReadFile(path, kMaxTokenBytes);
  if (!token) return FailWith(ErrorCode::kDenied, token.error().message, "check the token's file");
  while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
  return token;
}

// The text of a reply of 200; what it says is never put into a message.
Result<std::string> TextOf(const HttpSend& send, const HttpRequest& request, std::string_view who) {
  Result<HttpReply> reply = send(request);
  if (!reply)
    return Fail(ErrorCode::kUnavailable, "{} does not answer: {}", who, reply.error().message);
  if (reply->status / 100 == 5)
    return Fail(ErrorCode::kUnavailable, "{} answers HTTP {}", who, reply->status);
  if (reply->status != 200)
    return FailWith(ErrorCode::kDenied, fmt::format("{} answers HTTP {}", who, reply->status),
                    "check the role and its rights");
  return std::move(reply->body);
}

std::string StsEndpoint(const std::string& region) {
  const std::string url = FirstEnv({"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"});
  return url.empty() ? fmt::format("https://sts.{}.amazonaws.com", region) : url;
}

Result<Credentials> AskSts(const HttpSend& send, const RoleRequest& role, std::string form,
                           const Credentials* signer) {
  const std::string region = role.region.empty() ? "us-east-1" : role.region;
  form += "&Version=2011-06-15&RoleArn=" + PercentEncode(role.role_arn) + "&RoleSessionName=" +
          PercentEncode(role.session_name.empty() ? "armada" : role.session_name);
  HttpRequest request{.method = "POST",
                      .url = StsEndpoint(region) + "/",
                      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                      .body = form,
                      .timeout_ms = 20'000,
                      .max_reply_bytes = kMaxReplyBytes};
  if (signer != nullptr) SignV4(*signer, {.region = region, .service = "sts"}, WallMs(), &request);
  Result<HttpReply> reply = send(request);
  if (!reply) return Fail(ErrorCode::kUnavailable, "STS: {}", reply.error().message);
  pugi::xml_document xml;
  xml.load_buffer(reply->body.data(), reply->body.size());
  const auto text = [&xml](const char* name) {
    return std::string(xml.find_node([name](const pugi::xml_node& node) {
                            return std::string_view(node.name()) == name;
                          })
                           .child_value());
  };
  if (reply->status / 100 == 5)
    return Fail(ErrorCode::kUnavailable, "STS answers HTTP {}", reply->status);
  if (reply->status != 200)
    return FailWith(
        ErrorCode::kDenied,
        fmt::format("STS refuses {}: {}", Printable(role.role_arn), Printable(text("Message"))),
        "check the role's trust policy");
  Credentials credentials{.access_key = text("AccessKeyId"),
                          .secret_key = text("SecretAccessKey"),
                          .session_token = text("SessionToken"),
                          .source = "role " + role.role_arn};
  ASSIGN_OR_RETURN(credentials.expires_utc_ms, ParseUtc(text("Expiration")));
  if (credentials.access_key.empty() || credentials.secret_key.empty())
    return Fail(ErrorCode::kDenied, "STS answers without credentials");
  return credentials;
}

// Where a container may be told to ask: https, this machine, or the platforms' own addresses.
bool MayAsk(std::string_view url) {
  if (url.starts_with("https://")) return true;
  for (const std::string_view host :
       {"http://127.0.0.1", "http://localhost", "http://[::1]", "http://169.254.170.2",
        "http://169.254.170.23", "http://[fd00:ec2::23]"})
    if (url.starts_with(host) &&
        (url.size() == host.size() || url[host.size()] == '/' || url[host.size()] == ':'))
      return true;
  return false;
}

}  // namespace

Result<Credentials> ParseCredentials(std::string_view json, std::string_view source) {
  const auto parsed = ParseJson(json, source);
  if (!parsed || !parsed->is_object()) return Fail(ErrorCode::kInvalid, "{}: no JSON", source);
  const auto text = [&](const char* name) { return JsonString(*parsed, name).value_or(""); };
  Credentials credentials{.access_key = text("AccessKeyId"),
                          .secret_key = text("SecretAccessKey"),
                          .session_token = text("SessionToken"),
                          .source = std::string(source)};
  if (credentials.session_token.empty()) credentials.session_token = text("Token");
  for (const auto& [name, value] : {std::pair("AccessKeyId", &credentials.access_key),
                                    std::pair("SecretAccessKey", &credentials.secret_key)})
    if (value->empty()) return Fail(ErrorCode::kInvalid, "{}: it gives no {}", source, name);
  if (const std::string until = text("Expiration"); !until.empty()) {
    const Result<int64_t> expires = ParseUtc(until);
    if (!expires) return Annotate(expires.error(), source);
    credentials.expires_utc_ms = *expires;
  }
  return credentials;
}

Result<Credentials> AssumeRole(const HttpSend& send, const RoleRequest& role,
                               const Credentials& source) {
  std::string form = "Action=AssumeRole";
  if (!role.external_id.empty()) form += "&ExternalId=" + PercentEncode(role.external_id);
  return AskSts(send, role, std::move(form), &source);
}

Result<Credentials> AssumeRoleWithToken(const HttpSend& send, const RoleRequest& role,
                                        const std::string& token_file) {
  ASSIGN_OR_RETURN(const std::string token, ReadTokenFile(token_file));
  return AskSts(send, role,
                "Action=AssumeRoleWithWebIdentity&WebIdentityToken=" + PercentEncode(token),
                nullptr);
}

Result<Credentials> CredentialsFromWebIdentity(const HttpSend& send) {
  const std::string file = FirstEnv({"AWS_WEB_IDENTITY_TOKEN_FILE"});
  const std::string arn = FirstEnv({"AWS_ROLE_ARN"});
  if (file.empty()) return Fail(ErrorCode::kNotFound, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
  if (arn.empty())
    return FailWith(ErrorCode::kDenied,
                    "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not", "set both");
  return AssumeRoleWithToken(send,
                             {.role_arn = arn,
                              .session_name = FirstEnv({"AWS_ROLE_SESSION_NAME"}),
                              .region = ConfiguredRegion()},
                             file);
}

Result<Credentials> CredentialsFromContainer(const HttpSend& send) {
  const std::string relative = FirstEnv({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"});
  const std::string full = FirstEnv({"AWS_CONTAINER_CREDENTIALS_FULL_URI"});
  if (relative.empty() && full.empty())
    return Fail(ErrorCode::kNotFound, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
  const std::string url = relative.empty() ? full : kTaskHost + relative;
  if (!MayAsk(url))
    return FailWith(ErrorCode::kDenied,
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI would show a secret to the network",
                    "it may be https, on this machine, or 169.254.170.2 or .23");
  HttpRequest request{.url = url, .timeout_ms = 5'000, .max_reply_bytes = kMaxReplyBytes};
  std::string token = FirstEnv({"AWS_CONTAINER_AUTHORIZATION_TOKEN"});
  // Read each time: it is renewed.
  if (const std::string file = FirstEnv({"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"});
      !file.empty()) {
    ASSIGN_OR_RETURN(token, ReadTokenFile(file));
  }
  if (!token.empty()) request.headers.emplace_back("Authorization", token);
  ASSIGN_OR_RETURN(const std::string text, TextOf(send, request, "the container's endpoint"));
  return ParseCredentials(text, "container endpoint");
}

Result<Credentials> CredentialsFromInstance(const HttpSend& send) {
  if (LowerCase(FirstEnv({"AWS_EC2_METADATA_DISABLED"})) == "true")
    return Fail(ErrorCode::kNotFound, "AWS_EC2_METADATA_DISABLED is set");
  std::string host = FirstEnv({"AWS_EC2_METADATA_SERVICE_ENDPOINT"});
  if (host.empty()) host = kInstanceHost;
  while (host.ends_with('/')) host.pop_back();
  HttpRequest request{.method = "PUT",
                      .url = host + "/latest/api/token",
                      .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                      .connect_timeout_ms = kNearMs,
                      .timeout_ms = 2 * kNearMs,
                      .max_reply_bytes = kMaxReplyBytes};
  const Result<std::string> token = TextOf(send, request, "the instance's metadata service");
  if (!token) return Fail(ErrorCode::kNotFound, "{}", token.error().message);
  request.method = "GET";
  request.headers = {{"X-aws-ec2-metadata-token", *token}};
  request.url = host + "/latest/meta-data/iam/security-credentials/";
  const Result<std::string> roles = TextOf(send, request, "the instance's metadata service");
  if (!roles)
    return Fail(ErrorCode::kNotFound, "this instance has no role ({})", roles.error().message);
  const std::string role = roles->substr(0, roles->find('\n'));
  request.url += PercentEncode(role);
  ASSIGN_OR_RETURN(const std::string text,
                   TextOf(send, request, "the instance's metadata service"));
  return ParseCredentials(text, "instance role " + Printable(role));
}

}  // namespace armada
