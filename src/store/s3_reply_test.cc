#include "store/s3_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace armada {
namespace {

using testing::HasSubstr;

TEST(S3Fault, IsReadFromXml) {
  const auto fault = ParseS3Fault(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidRange</Code>"
      "<Message>a &lt; b &#x1b;[31m</Message><ActualObjectSize>0</ActualObjectSize>"
      "<Region>eu-west-1</Region></Error>");
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->code, "InvalidRange");
  EXPECT_EQ(fault->message, "a < b \\x1b[31m");
  EXPECT_EQ(fault->region, "eu-west-1");
  EXPECT_EQ(fault->object_bytes, 0);
}

TEST(S3Fault, WhatIsNoneIsNone) {
  for (const char* bytes : {"", "<html></html>", "<Error></Error>", "<Error><Code/></Error>",
                            "{\"Error\":{\"Code\":\"NoSuchKey\"}}", "<Error><Code>NoSuchKey"})
    EXPECT_FALSE(ParseS3Fault(bytes).has_value()) << bytes;
  const auto odd =
      ParseS3Fault("<Error><Code>C</Code><ActualObjectSize>-4</ActualObjectSize></Error>");
  EXPECT_EQ(odd->object_bytes, -1);
}

TEST(S3Listing, KeysAreDecodedAndKeepTheirOrder) {
  const auto listing = ParseS3Listing(
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Name>b</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
      "<Contents><Key>a+b%2Fc%3D</Key><Size>12</Size></Contents>"
      "<Contents><Size>0</Size><Key>A</Key></Contents></ListBucketResult>");
  ASSERT_TRUE(listing.has_value());
  EXPECT_TRUE(listing->truncated);
  ASSERT_EQ(listing->objects.size(), 2u);
  EXPECT_EQ(listing->objects[0].key, "a b/c=");
  EXPECT_EQ(listing->objects[0].size_bytes, 12);
  EXPECT_EQ(listing->objects[1].key, "A");
}

TEST(S3Listing, WithoutAnEncodingKeysAreAsTheyStand) {
  const auto listing = ParseS3Listing(
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+b%2F&amp;</Key>"
      "<Size>1</Size></Contents></ListBucketResult>");
  EXPECT_FALSE(listing->truncated);
  EXPECT_EQ(listing->objects.at(0).key, "a+b%2F&");
}

TEST(S3Listing, WhatIsNoneIsCorrupt) {
  const std::string begin = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents>";
  const std::string end = "</Contents></ListBucketResult>";
  for (const std::string& bytes :
       {std::string(), std::string("<html/>"), std::string("<ListBucketResult/>"),
        std::string("<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>"),
        begin + "<Key>a</Key>" + end, begin + "<Key>a</Key><Size>x</Size>" + end,
        begin + "<Key>a</Key><Size>99999999999999999999</Size>" + end,
        begin + "<Key></Key><Size>1</Size>" + end, begin + "<Key>a</Key><Size>1</Size>"}) {
    const auto listing = ParseS3Listing(bytes);
    ASSERT_FALSE(listing.has_value()) << bytes;
    EXPECT_EQ(listing.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(listing.error().message, HasSubstr("listing"));
  }
}

TEST(ContentRange, IsReadWhenItMakesSense) {
  const auto range = ParseContentRange("bytes 6-9/10");
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(range->begin, 6);
  EXPECT_EQ(range->end, 9);
  EXPECT_EQ(range->size, 10);
  for (const char* odd :
       {"", "bytes", "bytes 6-9", "bytes 6-9/*", "bytes */10", "bytes 9-6/10", "bytes 6-10/10",
        "lines 6-9/10", "bytes -6-9/10", "bytes 6/9-10", "bytes 6-9/99999999999999999999"})
    EXPECT_FALSE(ParseContentRange(odd).has_value()) << odd;
}

}  // namespace
}  // namespace armada
