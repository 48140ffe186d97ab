#include "worker/answers.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace armada {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

OutputSchema TopK(int k, int64_t classes, bool softmax = false) {
  OutputSchema schema;
  schema.top_k = k;
  schema.softmax = softmax;
  schema.outputs = {{"digit", classes}};
  return schema;
}

ResultBlock Answer(const OutputSchema& schema, const std::vector<float>& tensor, int64_t rows) {
  ResultBlock block;
  block.rows = rows;
  const std::span<const float> view(tensor);
  FillAnswers(schema, std::span(&view, 1), &block);
  return block;
}

TEST(Answers, TopOneIsTheClassWithTheHighestScore) {
  const ResultBlock block = Answer(TopK(1, 3), {0.1f, 0.7f, 0.2f, 0.5f, 0.1f, 0.4f}, 2);
  EXPECT_THAT(block.labels, ElementsAre(1, 0));
  EXPECT_THAT(block.scores, ElementsAre(0.7f, 0.5f));
}

TEST(Answers, TopTwoAreBestFirst) {
  const ResultBlock block = Answer(TopK(2, 3), {0.1f, 0.7f, 0.2f}, 1);
  EXPECT_THAT(block.labels, ElementsAre(1, 2));
  EXPECT_THAT(block.scores, ElementsAre(0.7f, 0.2f));
}

TEST(Answers, TiesGoToTheLowerClass) {
  EXPECT_THAT(Answer(TopK(1, 3), {0.5f, 0.5f, 0.5f}, 1).labels, ElementsAre(0));
  EXPECT_THAT(Answer(TopK(3, 3), {0.5f, 0.5f, 0.5f}, 1).labels, ElementsAre(0, 1, 2));
}

TEST(Answers, NanLosesAgainstEverything) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Answer(TopK(1, 3), {kNan, -7.0f, kNan}, 1).labels, ElementsAre(1));
  EXPECT_THAT(Answer(TopK(3, 3), {kNan, -7.0f, 1.0f}, 1).labels, ElementsAre(2, 1, 0));
}

TEST(Answers, SoftmaxGivesProbabilitiesAlsoForHugeLogits) {
  // exp(0) / (exp(0) + exp(-1)) = 0.7310586
  const ResultBlock block = Answer(TopK(2, 2, true), {1000.0f, 999.0f}, 1);
  EXPECT_THAT(block.scores,
              ElementsAre(FloatNear(0.7310586f, 1e-6f), FloatNear(0.2689414f, 1e-6f)));
}

TEST(Answers, WithoutTopKTheTensorsAreTheAnswer) {
  OutputSchema schema;
  schema.outputs = {{"embedding", 2}};
  const ResultBlock block = Answer(schema, {1.0f, 2.0f, 3.0f, 4.0f}, 2);
  ASSERT_EQ(block.outputs.size(), 1u);
  EXPECT_THAT(block.outputs[0], ElementsAre(1, 2, 3, 4));
  EXPECT_TRUE(block.labels.empty());
}

TEST(Answers, OutputsAreMatchedByNameAndSize) {
  Signature signature;
  signature.outputs = {{"a", ElementType::kF32, "f32", {4}}, {"b", ElementType::kF32, "f32", {10}}};
  OutputSchema schema;
  schema.outputs = {{"b", 10}};
  EXPECT_THAT(MatchOutputs(schema, signature).value(), ElementsAre(1u));
  schema.outputs = {{"c", 10}};
  EXPECT_THAT(MatchOutputs(schema, signature).error().message, testing::HasSubstr("no output 'c'"));
  schema.outputs = {{"b", 11}};
  EXPECT_THAT(MatchOutputs(schema, signature).error().message, testing::HasSubstr("10 elements"));
}

}  // namespace
}  // namespace armada
