// What every ObjectStore promises, as store/object_store.h says it. The stores are named in
// conformance_stores_test.cc; tests/peers runs the same suite over S3 servers.
#include <algorithm>
#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/env.h"
#include "platform/thread.h"
#include "store/conformance.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_P(StoreConformance, TheFirstCreateWins) {
  EXPECT_TRUE(store_.Create("out/00/a.parquet", "first"));
  for (const char* bytes : {"second", "first", ""}) {
    const Status again = store_.Create("out/00/a.parquet", bytes);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, ErrorCode::kExists);
    EXPECT_THAT(again.error().message, HasSubstr("out/00/a.parquet"));
  }
  EXPECT_EQ(store_.Get("out/00/a.parquet").value(), "first");
}

TEST_P(StoreConformance, OfManyCreatesAtOnceExactlyOneWins) {
  constexpr int kRacers = 32;
  const int rounds = std::stoi(GetEnv("ARMADA_RACE_ROUNDS").value_or("25"));
  for (int round = 0; round < rounds; ++round) {
    const std::string key = fmt::format("race/{}", round);
    std::atomic<int> wins{0}, refused{0}, winner{-1};
    std::atomic<bool> go{false};
    {
      std::vector<Thread> racers;
      for (int racer = 0; racer < kRacers; ++racer)
        racers.emplace_back([&, racer] {
          go.wait(false);
          const Status status = store_.Create(key, fmt::format("body of {}", racer));
          if (status) ++wins, winner = racer;
          if (!status && status.error().code == ErrorCode::kExists) ++refused;
        });
      go = true;
      go.notify_all();
    }
    ASSERT_EQ(wins, 1);
    ASSERT_EQ(refused, kRacers - 1);
    ASSERT_EQ(store_.Get(key).value(), fmt::format("body of {}", winner.load()));
  }
}

TEST_P(StoreConformance, BytesComeBackAsTheyWere) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  const std::string large(3'000'001, 'z');
  EXPECT_TRUE(store_.Create("bytes", every_byte));
  EXPECT_TRUE(store_.Create("empty", ""));
  EXPECT_TRUE(store_.Create("large", large));
  EXPECT_EQ(store_.Get("bytes").value(), every_byte);
  EXPECT_EQ(store_.Get("empty").value(), "");
  EXPECT_TRUE(store_.Get("large").value() == large);
}

TEST_P(StoreConformance, PutOverwrites) {
  EXPECT_TRUE(store_.Put("workers/1.json", "long counter 1"));
  EXPECT_TRUE(store_.Put("workers/1.json", "2"));
  EXPECT_EQ(store_.Get("workers/1.json").value(), "2");
  EXPECT_EQ(store_.Create("workers/1.json", "3").error().code, ErrorCode::kExists);
}

TEST_P(StoreConformance, AMissingKeyIsNotFound) {
  ASSERT_TRUE(store_.Create("out/a", "1"));
  for (const char* key : {"missing", "out/missing", "far/below/missing"}) {
    EXPECT_EQ(store_.Get(key).error().code, ErrorCode::kNotFound) << key;
    EXPECT_EQ(store_.GetSuffix(key, 4).error().code, ErrorCode::kNotFound) << key;
    EXPECT_THAT(store_.Get(key).error().message, HasSubstr(key));
  }
}

TEST_P(StoreConformance, SuffixIsTheEndAndTheSize) {
  ASSERT_TRUE(store_.Create("digits", "0123456789"));
  ASSERT_TRUE(store_.Create("empty", ""));
  const auto suffix = [&](const char* key, int64_t length) {
    const Suffix got = store_.GetSuffix(key, length).value();
    return fmt::format("{} of {}", got.bytes, got.size_bytes);
  };
  EXPECT_EQ(suffix("digits", 4), "6789 of 10");
  EXPECT_EQ(suffix("digits", 10), "0123456789 of 10");
  EXPECT_EQ(suffix("digits", 999), "0123456789 of 10");
  EXPECT_EQ(suffix("empty", 8), " of 0");
}

TEST_P(StoreConformance, ListIsInByteOrderOfWholeKeys) {
  for (const char* key : {"a/b", "a-b", "a0", "a/b-c/d", "a.b", "a/b.c", "B", "a/b0"})
    ASSERT_TRUE(store_.Create(key, "12345"));
  EXPECT_THAT(Keys(""), ElementsAre("B", "a-b", "a.b", "a/b", "a/b-c/d", "a/b.c", "a/b0", "a0"));
  EXPECT_EQ(store_.List("", "", 1000)->objects[3].size_bytes, 5);
}

TEST_P(StoreConformance, ListTakesAnyPrefixAndStart) {
  for (const char* key : {"out/00/a", "out/00/b", "out/01/a", "out-1", "outer/x", "plan/0"})
    ASSERT_TRUE(store_.Create(key, "1"));
  EXPECT_THAT(Keys("out/"), ElementsAre("out/00/a", "out/00/b", "out/01/a"));
  EXPECT_THAT(Keys("out"), ElementsAre("out-1", "out/00/a", "out/00/b", "out/01/a", "outer/x"));
  EXPECT_THAT(Keys("out/0"), ElementsAre("out/00/a", "out/00/b", "out/01/a"));
  EXPECT_THAT(Keys("out/00/b"), ElementsAre("out/00/b"));
  EXPECT_THAT(Keys("out/", "out/00/a"), ElementsAre("out/00/b", "out/01/a"));
  EXPECT_THAT(Keys("out/", "out/00/aa"), ElementsAre("out/00/b", "out/01/a"));  // need not exist
  EXPECT_THAT(Keys("out/", "out/00/"), ElementsAre("out/00/a", "out/00/b", "out/01/a"));
  EXPECT_THAT(Keys("out/", "out/00z"), ElementsAre("out/01/a"));
  EXPECT_THAT(Keys("out/", "a"), ElementsAre("out/00/a", "out/00/b", "out/01/a"));
  EXPECT_THAT(Keys("out/", "z"), ElementsAre());
  EXPECT_THAT(Keys("missing/"), ElementsAre());
  EXPECT_THAT(Keys("out/00/a/"), ElementsAre());
}

TEST_P(StoreConformance, PagesMeetWithoutGapOrOverlap) {
  std::vector<std::string> all;
  for (int i = 0; i < 30; ++i)
    all.push_back(fmt::format("p/{:02}{}{}", i / 3, i % 3 == 0 ? "-" : "/", i % 3));
  for (const std::string& key : all) ASSERT_TRUE(store_.Create(key, "1"));
  ASSERT_TRUE(store_.Create("q", "1"));
  std::ranges::sort(all);
  for (const int limit : {1, 7, 29, 30, 31}) {
    std::vector<std::string> seen;
    while (true) {
      const ListPage page = store_.List("p/", seen.empty() ? "" : seen.back(), limit).value();
      ASSERT_LE(page.objects.size(), static_cast<size_t>(limit));
      for (const ObjectInfo& object : page.objects) seen.push_back(object.key);
      ASSERT_EQ(page.more, seen.size() < all.size());
      if (!page.more) break;
    }
    EXPECT_EQ(seen, all) << limit;
  }
}

TEST_P(StoreConformance, WhatWasCreatedIsListedAtOnce) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(store_.Create(fmt::format("x/{:02}", i), "1"));
    ASSERT_EQ(Keys("x/").size(), static_cast<size_t>(i + 1));
  }
}

TEST_P(StoreConformance, DeleteIsFinalAndAbsentIsSuccess) {
  ASSERT_TRUE(store_.Create("d/a", "1"));
  ASSERT_TRUE(store_.Create("d/b", "2"));
  EXPECT_TRUE(store_.Delete("d/a"));
  EXPECT_TRUE(store_.Delete("d/a"));
  EXPECT_TRUE(store_.Delete("never/was"));
  EXPECT_EQ(store_.Get("d/a").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(Keys(""), ElementsAre("d/b"));
  EXPECT_TRUE(store_.Create("d/a", "3"));
  EXPECT_EQ(store_.Get("d/a").value(), "3");
}

TEST_P(StoreConformance, BadKeysAreProgrammersErrors) {
  for (const std::string& key :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."),
        std::string("a/../b"), std::string(".hidden"), std::string("a b"), std::string("ä"),
        std::string("a\nb"), std::string(256, 'a'), std::string("a\0b", 3)}) {
    EXPECT_DEATH((void)store_.Create(key, "x"), "CHECK failed.*IsKey") << key;
  }
  EXPECT_DEATH((void)store_.Get("../secret"), "CHECK failed.*IsKey");
  EXPECT_DEATH((void)store_.Delete("a/"), "CHECK failed.*IsKey");
  EXPECT_DEATH((void)store_.List("", "", 1001), "CHECK failed.*limit");
  EXPECT_TRUE(store_.Create("A-z_0.9/group=7/b..c", "x"));
}

}  // namespace
}  // namespace armada
