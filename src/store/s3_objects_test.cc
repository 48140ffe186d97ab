#include "store/s3_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/fake_s3.h"

namespace armada {
namespace {

using testing::HasSubstr;

// A bucket whose server answers to every request as it is told to.
struct Scene {
  explicit Scene(HttpReply answer) {
    s3->before = [answer](const HttpRequest&) { return Result<HttpReply>(answer); };
  }
  std::string Asked(std::string_view header) const {
    return FakeS3::HeaderOf(s3->asked.back(), header);
  }
  std::shared_ptr<FakeS3> s3 = std::make_shared<FakeS3>();
  S3Objects bucket{ParseS3Location("s3://bucket", "http://127.0.0.1").value(), s3->Wiring()};
};

HttpReply Part(std::string body, std::string range, std::string etag = "\"v1\"") {
  return {.status = 206,
          .headers = {{"content-range", std::move(range)}, {"etag", std::move(etag)}},
          .body = std::move(body)};
}

TEST(S3Objects, APartIsAskedForAndHeldToItsETag) {
  Scene scene(Part("cde", "bytes 2-4/10"));
  const auto part = scene.bucket.Read("a b/ü?.jpg", 2, 3, "v1");
  ASSERT_TRUE(part.has_value()) << part.error().ToString();
  EXPECT_FALSE(part->changed);
  EXPECT_EQ(part->bytes, "cde");
  EXPECT_EQ(part->object_bytes, 10);
  EXPECT_EQ(part->etag, "v1");
  EXPECT_EQ(scene.Asked("Range"), "bytes=2-4");
  EXPECT_EQ(scene.Asked("If-Match"), "\"v1\"");
  EXPECT_THAT(scene.s3->asked[0].url, HasSubstr("/bucket/a%20b/%C3%BC%3F.jpg"));
}

TEST(S3Objects, AnotherObjectIsNoticedWhetherOrNotTheServerHeedsIfMatch) {
  EXPECT_TRUE(
      Scene(FakeS3::Error(412, "PreconditionFailed")).bucket.Read("k", 0, 3, "v1")->changed);
  EXPECT_TRUE(Scene(Part("abc", "bytes 0-2/10", "\"v2\"")).bucket.Read("k", 0, 3, "v1")->changed);
  EXPECT_TRUE(Scene({.status = 200, .body = "abc"}).bucket.ReadWhole("k", "v1")->changed);
  EXPECT_FALSE(Scene({.status = 200, .body = "abc"}).bucket.ReadWhole("k", "")->changed);
}

TEST(S3Objects, TheEndOfAnObjectAndAnEmptyOne) {
  EXPECT_EQ(Scene(Part("j", "bytes 9-9/10")).bucket.Read("k", 9, 5, "")->bytes, "j");
  EXPECT_EQ(Scene(FakeS3::Error(416, "InvalidRange")).bucket.Read("k", 10, 5, "v1")->bytes, "");
  const auto s3 = std::make_shared<FakeS3>();
  s3->before = [](const HttpRequest& request) {
    const bool range = !FakeS3::HeaderOf(request, "Range").empty();
    return Result<HttpReply>(range ? FakeS3::Error(416, "InvalidRange")
                                   : HttpReply{.status = 200, .headers = {{"etag", "\"e\""}}});
  };
  S3Objects bucket(ParseS3Location("s3://bucket", "http://127.0.0.1").value(), s3->Wiring());
  const auto empty = bucket.Read("k", 0, 5, "");
  ASSERT_TRUE(empty.has_value());
  EXPECT_EQ(empty->object_bytes, 0);
  EXPECT_EQ(empty->etag, "e");
}

TEST(S3Objects, AServerThatIgnoresTheRangeIsUnderstoodAndOneThatGivesLessIsNot) {
  EXPECT_EQ(Scene({.status = 200, .body = "abcdefghij"}).bucket.Read("k", 2, 3, "")->bytes, "cde");
  for (const HttpReply& wrong : {Part("cd", "bytes 2-4/10"), Part("cde", "bytes 3-5/10"),
                                 Part("cde", "nonsense"), Part("cde", "bytes 2-4/4")}) {
    const auto part = Scene(wrong).bucket.Read("k", 2, 3, "");
    ASSERT_FALSE(part.has_value());
    EXPECT_EQ(part.error().code, ErrorCode::kUnavailable);
  }
}

TEST(S3Objects, WhatIsNotThereAndWhatIsForbidden) {
  const auto missing = Scene(FakeS3::Error(404, "NoSuchKey")).bucket.ReadWhole("k", "v1");
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto denied = Scene(FakeS3::Error(403, "AccessDenied")).bucket.Read("k", 0, 1, "");
  EXPECT_EQ(denied.error().code, ErrorCode::kDenied);
}

HttpReply Listing(std::string_view contents, std::string_view truncated) {
  return {
      .status = 200,
      .body = fmt::format("<ListBucketResult><IsTruncated>{}</IsTruncated>{}</ListBucketResult>",
                          truncated, contents)};
}

TEST(S3Objects, AListingTellsSizesAndETags) {
  const auto page =
      Scene(Listing("<Contents><Key>p/a</Key><Size>3</Size><ETag>&quot;v1&quot;</ETag>"
                    "</Contents><Contents><Key>p/b</Key><Size>0</Size></Contents>",
                    "true"))
          .bucket.List("p/", "", 2);
  ASSERT_TRUE(page.has_value()) << page.error().ToString();
  EXPECT_TRUE(page->more);
  ASSERT_EQ(page->objects.size(), 2u);
  EXPECT_EQ(page->objects[0].key, "p/a");
  EXPECT_EQ(page->objects[0].etag, "v1");
  EXPECT_EQ(page->objects[1].etag, "");
}

TEST(S3Objects, AListingThatDoesNotGoOnInOrderIsCorrupt) {
  const std::string a = "<Contents><Key>a</Key><Size>1</Size></Contents>";
  const std::string b = "<Contents><Key>b</Key><Size>1</Size></Contents>";
  for (const auto& [contents, after, truncated] :
       {std::tuple(b + a, "", "false"), {a, "a", "false"}, {std::string(), "", "true"}}) {
    const auto page = Scene(Listing(contents, truncated)).bucket.List("", after, 9);
    ASSERT_FALSE(page.has_value()) << contents;
    EXPECT_EQ(page.error().code, ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace armada
