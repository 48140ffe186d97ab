#include "aws/credentials.h"

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utc.h"
#include "platform/clock.h"
#include "platform/scratch_folder.h"

namespace armada {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kSecret[] = "very-secret-indeed";

// No variable of the machine's is seen, and files are those of a scratch folder; services are
// played by a list of replies by "METHOD url".
class CredentialsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
          "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
          "AWS_ROLE_SESSION_NAME", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
          "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_EC2_METADATA_DISABLED",
          "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"})
      unsetenv(name);
    Set("AWS_SHARED_CREDENTIALS_FILE", Path("credentials"));
    Set("AWS_CONFIG_FILE", Path("config"));
  }
  static void Set(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(ReplaceFile(Path(name), text));
  }
  void Answer(const std::string& request, std::string body, int status = 200) {
    replies_[request] = {.status = status, .headers = {}, .body = std::move(body)};
  }
  std::unique_ptr<CredentialsProvider> Chain() {
    return NewCredentialsChain([this](const HttpRequest& request) -> Result<HttpReply> {
      const std::string what = request.method + " " + request.url;
      sent_.push_back(what);
      sent_bodies_.push_back(std::string(request.body));
      sent_headers_ = request.headers;
      const auto reply = replies_.find(what);
      if (reply == replies_.end()) return Fail(ErrorCode::kUnavailable, "no route to host");
      return reply->second;
    });
  }
  Result<Credentials> Get() { return Chain()->Get(); }
  std::string Header(const std::string& name) const {
    for (const auto& [key, value] : sent_headers_)
      if (key == name) return value;
    return "";
  }

  static std::string Json(const std::string& key, const std::string& expiration = "") {
    return R"({"AccessKeyId":")" + key + R"(","SecretAccessKey":")" + kSecret +
           R"(","Token":"tok")" +
           (expiration.empty() ? "" : R"(,"Expiration":")" + expiration + "\"") + "}";
  }
  static std::string StsReply(const std::string& key) {
    return "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" + key +
           "</AccessKeyId><SecretAccessKey>" + kSecret +
           "</SecretAccessKey><SessionToken>tok</SessionToken><Expiration>2099-01-01T00:00:00Z"
           "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
  }

  ScratchFolder folder_;
  std::map<std::string, HttpReply> replies_;
  std::vector<std::string> sent_;
  std::vector<std::string> sent_bodies_;
  HttpHeaders sent_headers_;
};

TEST_F(CredentialsTest, TheEnvironmentComesFirst) {
  Write("credentials", "[default]\naws_access_key_id=B\naws_secret_access_key=s\n");
  Set("AWS_ACCESS_KEY_ID", "A");
  Set("AWS_SECRET_ACCESS_KEY", kSecret);
  Set("AWS_SESSION_TOKEN", "tok");
  const auto found = Get();
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->access_key, "A");
  EXPECT_EQ(found->secret_key, kSecret);
  EXPECT_EQ(found->session_token, "tok");
  EXPECT_EQ(found->source, "environment");
  EXPECT_TRUE(sent_.empty());
}

TEST_F(CredentialsTest, HalfAPairIsSaid) {
  Set("AWS_ACCESS_KEY_ID", "A");
  const auto found = Get();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kDenied);
  EXPECT_THAT(found.error().message, HasSubstr("only the first is set"));
}

TEST_F(CredentialsTest, NothingAnywhereSaysWhereItLooked) {
  const auto found = Get();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kDenied);
  EXPECT_THAT(found.error().message,
              AllOf(HasSubstr("AWS_ACCESS_KEY_ID is not set"),
                    HasSubstr("there is no profile default in " + Path("credentials")),
                    HasSubstr("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set"),
                    HasSubstr("instance metadata: ")));
}

TEST_F(CredentialsTest, AProfilesKeysLongTokensAndCommentsIncluded) {
  const std::string token(1'500, 't');
  Write("credentials",
        "# mine\n[other]\naws_access_key_id = X\n[acme]\n; old\naws_access_key_id = A\n"
        "aws_secret_access_key = a/b+c=#;d\naws_session_token = " +
            token + "\n");
  Write("config", "[profile acme]\nregion = eu-west-1\ns3 =\n  max_queue_size = 10\n");
  Set("AWS_PROFILE", "acme");
  const auto found = Get();
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->access_key, "A");
  EXPECT_EQ(found->secret_key, "a/b+c=#;d");
  EXPECT_EQ(found->session_token, token);
  EXPECT_EQ(ConfiguredRegion(), "eu-west-1");
  Set("AWS_REGION", "us-east-2");
  EXPECT_EQ(ConfiguredRegion(), "us-east-2");
}

TEST_F(CredentialsTest, AProfileThatIsNamedAndNotThereEndsTheSearch) {
  Set("AWS_PROFILE", "acme");
  const auto found = Get();
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("there is no profile acme"));
  EXPECT_TRUE(sent_.empty()) << "the instance's role is not what was asked for";
}

TEST_F(CredentialsTest, ARoleIsAssumedWithItsSourceProfile) {
  Write("credentials", "[base]\naws_access_key_id=A\naws_secret_access_key=s\n");
  Write("config",
        "[default]\nrole_arn=arn:aws:iam::1:role/work\nsource_profile=base\nexternal_id=e/1\n"
        "role_session_name=me\nregion=eu-west-1\n");
  Answer("POST https://sts.eu-west-1.amazonaws.com/", StsReply("ROLE"));
  const auto found = Get();
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->access_key, "ROLE");
  EXPECT_EQ(found->expires_utc_ms, ParseUtc("2099-01-01T00:00:00Z").value());
  EXPECT_THAT(sent_bodies_.at(0),
              AllOf(HasSubstr("Action=AssumeRole&"), HasSubstr("ExternalId=e%2F1"),
                    HasSubstr("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fwork"),
                    HasSubstr("RoleSessionName=me")));
  EXPECT_THAT(Header("Authorization"), HasSubstr("Credential=A/"));
}

TEST_F(CredentialsTest, ProfilesThatLeadInACircleAreRefused) {
  Write("config",
        "[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=b\n"
        "source_profile=default\n");
  const auto found = Get();
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("leads on and on"));
}

TEST_F(CredentialsTest, WebIdentity) {
  Write("token", "the.token\n");
  Set("AWS_WEB_IDENTITY_TOKEN_FILE", Path("token"));
  EXPECT_THAT(Get().error().message, HasSubstr("AWS_ROLE_ARN is not"));
  Set("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod");
  Set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1");
  Answer("POST http://127.0.0.1:1/", StsReply("POD"));
  const auto found = Get();
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->access_key, "POD");
  EXPECT_THAT(sent_bodies_.back(), AllOf(HasSubstr("AssumeRoleWithWebIdentity"),
                                         HasSubstr("WebIdentityToken=the.token&")));
  EXPECT_EQ(Header("Authorization"), "");
  Answer("POST http://127.0.0.1:1/",
         "<ErrorResponse><Error><Message>Not authorized</Message></Error></ErrorResponse>", 403);
  EXPECT_THAT(Get().error().message, AllOf(HasSubstr("Not authorized"), HasSubstr("role/pod")));
}

TEST_F(CredentialsTest, AProgramGivesThem) {
  Write("config", "[default]\ncredential_process = cat '" + Path("out.json") + "'\n");
  Write("out.json", R"({"Version":1,"AccessKeyId":"P","SecretAccessKey":")" + std::string(kSecret) +
                        R"(","SessionToken":"tok"})");
  const auto found = Get();
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->access_key, "P");
  EXPECT_EQ(found->session_token, "tok");
  Write("out.json", R"({"Version":2,"AccessKeyId":"P"})");
  EXPECT_THAT(Get().error().message, HasSubstr("Version 1"));
  Write("config", "[default]\ncredential_process = echo no such vault >&2; exit 3\n");
  EXPECT_THAT(Get().error().message, HasSubstr("no such vault"));
}

TEST_F(CredentialsTest, TheContainersEndpoint) {
  Set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1");
  Answer("GET http://169.254.170.2/v2/credentials/1", Json("TASK", "2099-01-01T00:00:00Z"));
  EXPECT_EQ(Get()->access_key, "TASK");
  unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  Write("pod.token", "word\n");
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", Path("pod.token"));
  Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
  Answer("GET http://169.254.170.23/v1/credentials", Json("EKS"));
  EXPECT_EQ(Get()->access_key, "EKS");
  EXPECT_EQ(Header("Authorization"), "word");
  for (const char* url :
       {"http://evil.example/c", "http://169.254.170.2.evil.example/", "ftp://x"}) {
    Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    EXPECT_THAT(Get().error().message, HasSubstr("show a secret")) << url;
  }
}

TEST_F(CredentialsTest, TheInstancesRole) {
  const std::string host = "http://169.254.169.254/latest/";
  Answer("PUT " + host + "api/token", "word");
  Answer("GET " + host + "meta-data/iam/security-credentials/", "fleet-role\n");
  Answer("GET " + host + "meta-data/iam/security-credentials/fleet-role",
         Json("EC2", "2099-01-01T00:00:00Z"));
  const auto found = Get();
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->access_key, "EC2");
  EXPECT_EQ(Header("X-aws-ec2-metadata-token"), "word");
  Set("AWS_EC2_METADATA_DISABLED", "True");
  sent_.clear();
  EXPECT_FALSE(Get());
  EXPECT_TRUE(sent_.empty());
}

TEST_F(CredentialsTest, WhatLastsIsKeptAndWhatEndsSoonIsFetchedAnew) {
  Set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
  const std::string request = "GET http://169.254.170.2/c";
  Answer(request, Json("A", "2099-01-01T00:00:00Z"));
  const auto chain = Chain();
  ASSERT_TRUE(chain->Get());
  ASSERT_TRUE(chain->Get());
  EXPECT_EQ(sent_.size(), 1u);
  chain->Forget();
  // Good for another minute: a failed refresh is no error, and is not tried with every request.
  const std::string soon = UtcMsText(WallMs() + 60'000);
  Answer(request, Json("B", soon));
  EXPECT_EQ(chain->Get()->access_key, "B");
  replies_.clear();
  EXPECT_EQ(chain->Get()->access_key, "B");
  EXPECT_EQ(sent_.size(), 2u);
  chain->Forget();
  const auto gone = chain->Get();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kUnavailable);
}

TEST_F(CredentialsTest, NoMessageHoldsASecret) {
  const std::string leaky =
      std::string(R"({"AccessKeyId":"","SecretAccessKey":")") + kSecret + "\"}";
  Set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
  for (const std::string& body :
       {leaky, std::string(kSecret), "{\"AccessKeyId\":\"A\", " + std::string(kSecret)}) {
    Answer("GET http://169.254.170.2/c", body);
    const auto found = Get();
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().ToString(), Not(HasSubstr(kSecret)));
  }
  unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  Write("out.json", leaky);
  Write("config", "[default]\ncredential_process = cat '" + Path("out.json") + "'\n");
  EXPECT_THAT(Get().error().ToString(), Not(HasSubstr(kSecret)));
}

}  // namespace
}  // namespace armada
