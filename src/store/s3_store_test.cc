#include "store/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/env.h"
#include "platform/loopback_server.h"
#include "store/fake_s3.h"
#include "store/probe.h"

namespace armada {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;
using testing::StartsWith;

// A store before a fake server, and what the server answers to the first requests.
struct Scene {
  std::shared_ptr<FakeS3> s3 = std::make_shared<FakeS3>();
  S3Store store{ParseS3Location("s3://bucket/jobs", "http://127.0.0.1").value(), s3->Wiring()};

  // These answers first, one a request; nothing is applied.
  void Answer(std::vector<Result<HttpReply>> answers) {
    s3->before = [answers = std::move(answers),
                  at = size_t{0}](const HttpRequest&) mutable -> std::optional<Result<HttpReply>> {
      if (at == answers.size()) return std::nullopt;
      return answers[at++];
    };
  }
  void AlwaysAnswer(const Result<HttpReply>& answer) {
    s3->before = [answer](const HttpRequest&) { return answer; };
  }
};

const Result<HttpReply> kNotSent = Fail(ErrorCode::kUnavailable, "connection refused");
const Result<HttpReply> kLost = Fail(ErrorCode::kUnknownOutcome, "connection lost");

TEST(S3Store, AsksInTheWordsOfS3) {
  Scene scene;
  ASSERT_TRUE(scene.store.Create("out/00/a=1.parquet", "bytes"));
  ASSERT_TRUE(scene.store.Put("workers/1.json", "{}"));
  ASSERT_TRUE(scene.store.GetSuffix("out/00/a=1.parquet", 8).has_value());
  ASSERT_TRUE(scene.store.List("out/", "out/0", 7).has_value());
  ASSERT_TRUE(scene.store.Delete("workers/1.json"));
  std::vector<std::string> lines;
  for (const HttpRequest& request : scene.s3->asked)
    lines.push_back(request.method + " " +
                    request.url.substr(std::string("http://127.0.0.1").size()));
  EXPECT_THAT(
      lines, ElementsAre("PUT /bucket/jobs/out/00/a%3D1.parquet", "PUT /bucket/jobs/workers/1.json",
                         "GET /bucket/jobs/out/00/a%3D1.parquet",
                         "GET /bucket/?encoding-type=url&list-type=2&max-keys=7"
                         "&prefix=jobs%2Fout%2F&start-after=jobs%2Fout%2F0",
                         "DELETE /bucket/jobs/workers/1.json"));
  EXPECT_EQ(FakeS3::HeaderOf(scene.s3->asked[0], "If-None-Match"), "*");
  EXPECT_EQ(FakeS3::HeaderOf(scene.s3->asked[1], "If-None-Match"), "");
  EXPECT_EQ(FakeS3::HeaderOf(scene.s3->asked[2], "Range"), "bytes=-8");
  EXPECT_EQ(FakeS3::HeaderOf(scene.s3->asked[0], "x-amz-date"), "20260731T120000Z");
  EXPECT_THAT(FakeS3::HeaderOf(scene.s3->asked[0], "Authorization"),
              HasSubstr("Credential=key0/20260731/us-east-1/s3/aws4_request"));
  const S3RequestCounts counts = scene.store.counts();
  EXPECT_EQ(counts.creates, 1);
  EXPECT_EQ(counts.puts, 1);
  EXPECT_EQ(counts.gets, 1);
  EXPECT_EQ(counts.lists, 1);
  EXPECT_EQ(counts.deletes, 1);
  EXPECT_EQ(counts.retries, 0);
}

TEST(S3Store, ACreateOfUnknownOutcomeIsNotSentAgain) {
  for (const auto& answer :
       {kLost, Result<HttpReply>(FakeS3::Error(500, "InternalError")),
        Result<HttpReply>(FakeS3::Error(503, "SlowDown")), Result<HttpReply>(HttpReply{502}),
        Result<HttpReply>(FakeS3::Error(409, "ConditionalRequestConflict")),
        Result<HttpReply>(Fail(ErrorCode::kLimit, "the reply is too large")),
        Result<HttpReply>(HttpReply{202})}) {
    Scene scene;
    scene.Answer({answer});
    const Status created = scene.store.Create("k", "bytes");
    ASSERT_FALSE(created.has_value());
    EXPECT_EQ(created.error().code, ErrorCode::kUnknownOutcome) << created.error().message;
    EXPECT_THAT(created.error().message, HasSubstr("s3://bucket/jobs/k"));
    EXPECT_EQ(scene.s3->asked.size(), 1u);
    // Absent proves nothing; the same bytes again settle it.
    EXPECT_TRUE(scene.store.Create("k", "bytes"));
  }
}

TEST(S3Store, ACreateThatWasCertainlyRefusedIsSentAgain) {
  Scene scene;
  scene.Answer({kNotSent, FakeS3::Error(400, "RequestTimeout")});
  EXPECT_TRUE(scene.store.Create("k", "bytes"));
  EXPECT_EQ(scene.store.Create("k", "other").error().code, ErrorCode::kExists);
  EXPECT_EQ(scene.store.Get("k").value(), "bytes");
  EXPECT_EQ(scene.store.counts().creates, 4);
  EXPECT_EQ(scene.store.counts().retries, 2);
}

// Not received, then sent and lost: the whole is not known.
TEST(S3Store, TheLastTryOfACreateSaysWhatIsKnown) {
  Scene scene;
  scene.Answer({kNotSent, kLost});
  EXPECT_EQ(scene.store.Create("k", "bytes").error().code, ErrorCode::kUnknownOutcome);
  EXPECT_EQ(scene.s3->asked.size(), 2u);
  Scene never;
  never.AlwaysAnswer(kNotSent);
  EXPECT_EQ(never.store.Create("k", "bytes").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(never.s3->asked.size(), 3u);
}

TEST(S3Store, ACallThatTookLongIsNotMadeAgain) {
  Scene scene;
  S3Wiring slow = scene.s3->Wiring();
  int64_t now_ms = FakeS3::kNoonMs;
  slow.now_ms = [&] { return now_ms += 3'000; };
  S3Store store(ParseS3Location("s3://bucket/jobs", "http://127.0.0.1").value(), std::move(slow));
  scene.AlwaysAnswer(kLost);
  EXPECT_EQ(store.Get("k").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(scene.s3->asked.size(), 1u);
}

TEST(S3Store, AllElseIsTriedAgainWithGrowingPauses) {
  Scene scene;
  ASSERT_TRUE(scene.store.Create("k", "bytes"));
  std::vector<Result<HttpReply>> bad = {FakeS3::Error(503, "SlowDown"), kLost};
  scene.Answer(bad);
  EXPECT_EQ(scene.store.Get("k").value(), "bytes");
  bad = {HttpReply{500}, HttpReply{429}};
  scene.Answer(bad);
  EXPECT_TRUE(scene.store.Put("p", "bytes"));
  scene.Answer(bad);
  EXPECT_EQ(scene.store.List("", "", 10)->objects.size(), 2u);
  scene.Answer(bad);
  EXPECT_TRUE(scene.store.Delete("p"));
  ASSERT_THAT(scene.s3->slept, SizeIs(8));
  for (size_t i = 0; i < 8; ++i)
    EXPECT_THAT(scene.s3->slept[i], AllOf(Ge(0), Le(i % 2 == 0 ? 200 : 600)));
}

TEST(S3Store, WhenNoTryIsAnsweredTheErrorSaysSo) {
  Scene scene;
  scene.AlwaysAnswer(FakeS3::Error(503, "SlowDown", "<Message>Please reduce</Message>"));
  const auto got = scene.store.Get("k");
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(got.error().message, "s3://bucket/jobs/k: HTTP 503 SlowDown: Please reduce (3 tries)");
  EXPECT_EQ(scene.store.Put("k", "x").error().code, ErrorCode::kUnknownOutcome);
  scene.AlwaysAnswer(kLost);
  EXPECT_EQ(scene.store.List("", "", 1).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(scene.s3->asked.size(), 9u);
}

// A try whose answer was lost may have been applied, whatever became of those behind it.
TEST(S3Store, APutThatWasPerhapsWrittenIsNeverCalledUnwritten) {
  Scene scene;
  scene.Answer({kLost, kNotSent, kNotSent});
  EXPECT_EQ(scene.store.Put("k", "x").error().code, ErrorCode::kUnknownOutcome);
  scene.Answer({kNotSent, kNotSent, kNotSent});
  EXPECT_EQ(scene.store.Put("k", "x").error().code, ErrorCode::kUnavailable);
}

TEST(S3Store, ExpiredCredentialsAreFetchedAnewOnce) {
  Scene scene;
  scene.Answer({FakeS3::Error(400, "ExpiredToken")});
  EXPECT_TRUE(scene.store.Create("k", "bytes"));
  EXPECT_THAT(FakeS3::HeaderOf(scene.s3->asked[1], "Authorization"), HasSubstr("key1"));
  scene.AlwaysAnswer(FakeS3::Error(400, "ExpiredToken"));
  const Status created = scene.store.Create("l", "bytes");
  EXPECT_EQ(created.error().code, ErrorCode::kDenied);
  EXPECT_EQ(created.error().remedy, "renew the credentials (this test)");
  EXPECT_EQ(scene.s3->forgotten, 2);
  EXPECT_EQ(scene.s3->asked.size(), 4u);
}

TEST(S3Store, AClockThatIsOffIsSetByTheRepliesDate) {
  Scene scene;
  HttpReply skewed = FakeS3::Error(403, "RequestTimeTooSkewed");
  skewed.headers.emplace_back("date", "Fri, 31 Jul 2026 13:30:00 GMT");
  scene.Answer({skewed});
  EXPECT_TRUE(scene.store.Create("k", "bytes"));
  EXPECT_TRUE(scene.store.Get("k").has_value());
  EXPECT_EQ(FakeS3::HeaderOf(scene.s3->asked[1], "x-amz-date"), "20260731T133000Z");
  EXPECT_EQ(FakeS3::HeaderOf(scene.s3->asked[2], "x-amz-date"), "20260731T133000Z");
  scene.AlwaysAnswer(skewed);
  const auto got = scene.store.Get("k");
  EXPECT_EQ(got.error().code, ErrorCode::kDenied);
  EXPECT_EQ(got.error().remedy, "set this machine's clock");
}

TEST(S3Store, TheRegionIsLearntFromTheAnswer) {
  HttpReply redirect = FakeS3::Error(301, "PermanentRedirect");
  redirect.headers.emplace_back("x-amz-bucket-region", "eu-west-1");
  const HttpReply malformed =
      FakeS3::Error(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>");
  for (const HttpReply& answer : {redirect, malformed}) {
    const auto s3 = std::make_shared<FakeS3>();
    S3Store aws(ParseS3Location("s3://bucket/jobs", "").value(), s3->Wiring());
    s3->before = [&](const HttpRequest& request) -> std::optional<Result<HttpReply>> {
      if (request.url.contains("us-east-1")) return answer;
      return HttpReply{.status = 200, .body = "bytes"};
    };
    EXPECT_EQ(aws.Get("k").value(), "bytes");
    EXPECT_EQ(s3->asked[0].url, "https://bucket.s3.us-east-1.amazonaws.com/jobs/k");
    EXPECT_EQ(s3->asked[1].url, "https://bucket.s3.eu-west-1.amazonaws.com/jobs/k");
    EXPECT_THAT(FakeS3::HeaderOf(s3->asked[1], "Authorization"), HasSubstr("/eu-west-1/s3/"));
    EXPECT_EQ(aws.Get("k").value(), "bytes");
    EXPECT_EQ(s3->asked.size(), 3u);  // it is remembered
    s3->before = [&](const HttpRequest&) { return answer; };
    EXPECT_EQ(aws.Get("k").error().code, ErrorCode::kInvalid);  // there already: no circle
  }
}

TEST(S3Store, AProcessThatLeavesIsNotHeldUp) {
  Scene scene;
  S3Wiring hurried = scene.s3->Wiring();
  hurried.leaving = [] { return true; };
  S3Store store(ParseS3Location("s3://bucket/jobs", "http://127.0.0.1").value(),
                std::move(hurried));
  scene.AlwaysAnswer(kLost);
  EXPECT_EQ(store.Get("k").error().code, ErrorCode::kUnavailable);
  ASSERT_THAT(scene.s3->asked, SizeIs(1));
  EXPECT_EQ(scene.s3->asked[0].stall_timeout_ms, 5'000);
}

// Whoever else has learnt it meanwhile.
TEST(S3Store, TheRegionIsLearntByManyAtOnce) {
  constexpr int kAtOnce = 4;
  std::atomic<int> astray{0};
  const auto fake = std::make_shared<FakeS3>();  // for its credentials
  S3Wiring wiring = fake->Wiring();
  wiring.send = [&](const HttpRequest& request) -> Result<HttpReply> {
    if (!request.url.contains("us-east-1")) return HttpReply{.status = 200, .body = "bytes"};
    ++astray;
    astray.notify_all();
    for (int seen = astray; seen < kAtOnce; seen = astray) astray.wait(seen);
    return HttpReply{.status = 301, .headers = {{"x-amz-bucket-region", "eu-west-1"}}};
  };
  S3Store store(ParseS3Location("s3://bucket/jobs", "").value(), std::move(wiring));
  std::atomic<int> got{0};
  {
    std::vector<Thread> threads;
    for (int i = 0; i < kAtOnce; ++i)
      threads.emplace_back([&] { got += store.Get("k").has_value() ? 1 : 0; });
  }
  EXPECT_EQ(got, kAtOnce);
}

struct Refused {
  int status;
  std::string code;
  ErrorCode expected;
  std::string remedy;
};

TEST(S3Store, ARefusalSaysWhatToDo) {
  const std::vector<Refused> cases = {
      {404, "NoSuchKey", ErrorCode::kNotFound, ""},
      {404, "NoSuchBucket", ErrorCode::kInvalid, "create the bucket"},
      {403, "AccessDenied", ErrorCode::kDenied,
       "grant s3:GetObject on the job's prefix, and s3:Lis"},
      {403, "AccessDenied", ErrorCode::kDenied, "the credentials are from: this test"},
      {403, "", ErrorCode::kDenied, "s3:ListBucket"},
      {404, "XAdminUserNotFound", ErrorCode::kDenied, "is not one of this endpoint's"},
      {403, "InvalidAccessKeyId", ErrorCode::kDenied, "is not one of this endpoint's"},
      {403, "SignatureDoesNotMatch", ErrorCode::kDenied, "does not belong to the access key"},
      {501, "NotImplemented", ErrorCode::kInvalid, "use another"},
      {418, "Teapot", ErrorCode::kInvalid, ""},
  };
  for (const Refused& refused : cases) {
    Scene scene;
    scene.AlwaysAnswer(refused.code.empty() ? HttpReply{refused.status}
                                            : FakeS3::Error(refused.status, refused.code));
    for (const auto& error :
         {scene.store.Get("k").error(), scene.store.GetSuffix("k", 1).error()}) {
      EXPECT_EQ(error.code, refused.expected) << error.message;
      EXPECT_THAT(error.message, HasSubstr("s3://bucket/jobs/k"));
      EXPECT_THAT(error.remedy, HasSubstr(refused.remedy));
    }
  }
}

// A 404 of something that is no S3 server must not be taken for "there is no such object".
TEST(S3Store, APageThatIsNotOfS3IsNoAbsence) {
  Scene scene;
  for (const int status : {404, 200, 302}) {
    scene.AlwaysAnswer(HttpReply{.status = status, .body = "<html><h1>It works\x1b[31m!</h1>"});
    const auto listed = scene.store.List("", "", 1);
    ASSERT_FALSE(listed.has_value());
    EXPECT_NE(listed.error().code, ErrorCode::kNotFound);
    if (status == 200) continue;
    const auto got = scene.store.Get("k");
    EXPECT_EQ(got.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(got.error().message, HasSubstr("It works\\x1b[31m!"));
    EXPECT_EQ(got.error().remedy, "this is not what S3 answers: check the endpoint");
    EXPECT_EQ(scene.store.Create("k", "").error().code, ErrorCode::kInvalid);
  }
}

TEST(S3Store, ASuffixThatDoesNotFitItsRangeIsNotTaken) {
  Scene scene;
  for (const char* range : {"", "bytes 0-3/5", "bytes 6-9/11", "bytes 5-9/10", "bytes 6-9/*"}) {
    scene.AlwaysAnswer(
        HttpReply{.status = 206, .headers = {{"content-range", range}}, .body = "6789"});
    const auto suffix = scene.store.GetSuffix("k", 5);
    ASSERT_FALSE(suffix.has_value()) << range;
    EXPECT_EQ(suffix.error().code, ErrorCode::kUnavailable);
  }
  // A server without ranges sends the whole.
  scene.AlwaysAnswer(HttpReply{.status = 200, .body = "0123456789"});
  EXPECT_EQ(scene.store.GetSuffix("k", 4)->bytes, "6789");
  EXPECT_EQ(scene.store.GetSuffix("k", 4)->size_bytes, 10);
  EXPECT_EQ(scene.store.GetSuffix("k", 0)->bytes, "");
}

TEST(S3Store, ForeignObjectsAreNotListed) {
  Scene scene;
  const auto s3 = scene.s3->Wiring().send;
  ASSERT_TRUE(scene.store.Create("a", "1"));
  ASSERT_TRUE(scene.store.Create("z", "1"));
  for (const char* foreign : {"", "a%20b", "folder/", ".hidden", "m%C3%BC"})
    ASSERT_TRUE(
        s3({.method = "PUT", .url = fmt::format("http://127.0.0.1/bucket/jobs/{}", foreign)})
            .has_value());
  std::vector<std::string> keys;
  const std::vector<ObjectInfo> listed = ListAll(scene.store, "").value();
  for (const ObjectInfo& object : listed) keys.push_back(object.key);
  EXPECT_THAT(keys, ElementsAre("a", "z"));
  EXPECT_EQ(scene.store.List("", "", 1)->objects[0].key, "a");
  EXPECT_EQ(scene.store.List("", "a", 1)->objects[0].key, "z");
}

TEST(S3Store, AServerThatIgnoresTheConditionIsFoundOut) {
  Scene scene;
  scene.s3->before = [&](const HttpRequest& request) -> std::optional<Result<HttpReply>> {
    auto& headers = const_cast<HttpRequest&>(request).headers;
    std::erase_if(headers, [](const auto& header) { return header.first == "If-None-Match"; });
    return std::nullopt;
  };
  const auto probe = ProbeStore(scene.store, "0");
  ASSERT_TRUE(probe.has_value()) << probe.error().message;
  EXPECT_THAT(probe->failure, HasSubstr("the store ignores \"only if absent\""));
}

// From OpenStore to the wire, with connections and credentials of its own.
TEST(S3Store, IsOpenedByItsUri) {
  SetEnv("AWS_ACCESS_KEY_ID", "AKIA");
  SetEnv("AWS_SECRET_ACCESS_KEY", "secret");
  std::string request;
  {
    LoopbackServer server([&](LoopbackConnection& connection) {
      request = connection.ReadRequest();
      connection.Reply(200, "");
    });
    const StoreOptions options{.endpoint = server.url(), .region = "eu-west-1", .ca_file = {}};
    const auto store = OpenStore("s3://bucket/jobs/v3/", options);
    ASSERT_TRUE(store.has_value()) << store.error().message;
    EXPECT_EQ((*store)->name(), "s3://bucket/jobs/v3");
    EXPECT_EQ((*store)->LocalPath("k"), std::nullopt);
    EXPECT_TRUE((*store)->Create("k", "bytes"));
  }
  EXPECT_THAT(request, StartsWith("PUT /bucket/jobs/v3/k HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nIf-None-Match: *\r\n"));
  EXPECT_THAT(request, HasSubstr("/eu-west-1/s3/aws4_request, SignedHeaders=host;if-none-match;"));
  EXPECT_THAT(request, EndsWith("\r\n\r\nbytes"));
}

TEST(S3Store, AnEndpointWithoutTlsElsewhereIsRefused) {
  const auto store =
      OpenStore("s3://bucket/x", {.endpoint = "http://s3.lan", .region = {}, .ca_file = {}});
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::kInvalid);
}

TEST(S3Location, IsReadFromAUri) {
  const auto url = [](const char* uri, const char* endpoint) {
    return ParseS3Location(uri, endpoint)->BucketUrl("eu-west-1");
  };
  EXPECT_EQ(ParseS3Location("s3://acme-ml", "")->prefix, "");
  EXPECT_EQ(ParseS3Location("s3://acme-ml/", "")->Uri(), "s3://acme-ml");
  EXPECT_EQ(ParseS3Location("s3://acme-ml/jobs/v3/", "")->prefix, "jobs/v3/");
  EXPECT_EQ(ParseS3Location("s3://acme-ml/jobs/v3/", "")->Uri(), "s3://acme-ml/jobs/v3");
  EXPECT_EQ(url("s3://acme-ml/x", ""), "https://acme-ml.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(url("s3://acme.ml/x", ""), "https://s3.eu-west-1.amazonaws.com/acme.ml");
  EXPECT_EQ(ParseS3Location("s3://acme", "")->BucketUrl("cn-north-1"),
            "https://acme.s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(url("s3://acme-ml/x", "https://s3.lan:9000/"), "https://s3.lan:9000/acme-ml");
  EXPECT_EQ(url("s3://acme-ml/x", "http://127.0.0.1:9000"), "http://127.0.0.1:9000/acme-ml");
  EXPECT_EQ(url("s3://acme-ml/x", "http://[::1]:9000"), "http://[::1]:9000/acme-ml");
}

TEST(S3Location, WhatIsNoneIsRefused) {
  for (const char* uri :
       {"s3://", "s3://ab", "s3:///x", "s3://Acme", "s3://a_b_c", "s3://-acme", "s3://acme..ml",
        "s3://acme/a b", "s3://acme//x", "s3://acme/../x", "s3://acme/.hidden", "s3://acme/\x1b"}) {
    const auto location = ParseS3Location(uri, "");
    ASSERT_FALSE(location.has_value()) << uri;
    EXPECT_EQ(location.error().code, ErrorCode::kInvalid);
    EXPECT_FALSE(location.error().remedy.empty());
  }
  for (const char* endpoint : {"s3.lan", "ftp://s3.lan", "https://", "https://s3.lan/path",
                               "https://user@s3.lan", "http://s3.lan", "http://10.0.0.1:9000",
                               "http://127.evil.org", "http://localhost.evil.org"})
    EXPECT_FALSE(ParseS3Location("s3://acme/x", endpoint).has_value()) << endpoint;
  EXPECT_THAT(ParseS3Location("s3://acme/x", "http://s3.lan:9000").error().message,
              HasSubstr("http://s3.lan:9000 would send data and answers unencrypted"));
}

}  // namespace
}  // namespace armada
