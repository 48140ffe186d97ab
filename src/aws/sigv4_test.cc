// tests/peers/test_sigv4.py compares SignV4 with botocore on thousands of requests; these are AWS's
// own examples.
#include "aws/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace armada {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  std::string found;
  for (const auto& [key, value] : request.headers)
    if (key == name) found += (found.empty() ? "" : " and ") + value;
  return found;
}

// "Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference.
const Credentials kS3Example = {.access_key = "AKIAIOSFODNN7EXAMPLE",
                                .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
constexpr int64_t kS3ExampleMs = 1369353600000;  // 2013-05-24T00:00:00Z

std::string SignatureOf(HttpRequest request) {
  SignV4(kS3Example, {.region = "us-east-1", .service = "s3"}, kS3ExampleMs, &request);
  const std::string authorization = HeaderOf(request, "Authorization");
  return authorization.substr(authorization.find("Signature=") + 10);
}

TEST(SignV4, SignsTheExamplesOfS3) {
  const std::string host = "https://examplebucket.s3.amazonaws.com";
  EXPECT_EQ(SignatureOf({.url = host + "/test.txt", .headers = {{"Range", "bytes=0-9"}}}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(SignatureOf({.method = "PUT",
                         .url = host + "/test%24file.text",
                         .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                         .body = "Welcome to Amazon S3."}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(SignatureOf({.url = host + "/?lifecycle"}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(SignatureOf({.url = host + "/?max-keys=2&prefix=J"}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  EXPECT_EQ(SignatureOf({.url = host + "/?prefix=J&max-keys=2"}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SignV4, SignsTheVanillaRequestOfTheTestSuite) {
  HttpRequest request{.url = "https://example.amazonaws.com/"};
  SignV4({.access_key = "AKIDEXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
         {.region = "us-east-1", .service = "service"}, 1440938160000, &request);
  EXPECT_EQ(HeaderOf(request, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(HeaderOf(request, "x-amz-content-sha256"), "");  // S3's alone
}

TEST(SignV4, SigningAgainReplacesWhatWasSigned) {
  HttpRequest once{.url = "http://127.0.0.1/k", .headers = {{"x-amz-meta-a", "1"}}}, twice = once;
  Credentials credentials = kS3Example;
  credentials.session_token = "token";
  SignV4(credentials, {.region = "a", .service = "s3"}, 1, &twice);
  EXPECT_THAT(HeaderOf(twice, "Authorization"), HasSubstr("x-amz-security-token"));
  SignV4(kS3Example, {.region = "b", .service = "s3"}, kS3ExampleMs, &twice);
  SignV4(kS3Example, {.region = "b", .service = "s3"}, kS3ExampleMs, &once);
  EXPECT_EQ(once.headers, twice.headers);
  EXPECT_EQ(HeaderOf(twice, "x-amz-date"), "20130524T000000Z");
}

}  // namespace
}  // namespace armada
