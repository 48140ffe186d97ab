#include "data/output_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace armada {
namespace {

using testing::ElementsAre;

OutputSchema Example() {
  OutputSchema schema;
  schema.kept = {{.name = "truth", .type = "int32"}};
  schema.top_k = 2;
  schema.softmax = true;
  schema.label_names = {"cat", "dog"};
  schema.outputs = {{.name = "probs", .elements = 2}};
  return schema;
}

TEST(OutputSchema, GoesThroughJsonUnchanged) {
  const std::string text = Example().ToJson().dump();
  EXPECT_EQ(text, R"({"kept":[{"name":"truth","type":"int32"}],"top_k":2,"softmax":true,)"
                  R"("label_names":["cat","dog"],"outputs":[{"name":"probs","elements":2}]})");
  auto again = OutputSchema::FromJson(*ParseJson(text, "text"));
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->ToJson().dump(), text);
}

TEST(OutputSchema, NamesItsColumnsInOrder) {
  OutputSchema schema = Example();
  EXPECT_THAT(schema.ColumnNames(), ElementsAre("id", "truth", "labels", "scores", "error"));
  schema.top_k = 1;
  EXPECT_THAT(schema.ColumnNames(), ElementsAre("id", "truth", "label", "score", "error"));
  schema.top_k = 0;
  EXPECT_THAT(schema.ColumnNames(), ElementsAre("id", "truth", "probs", "error"));
}

TEST(OutputSchema, TwoColumnsOfOneNameAreAnError) {
  OutputSchema schema = Example();
  EXPECT_TRUE(schema.Check());
  schema.kept.push_back({.name = "scores", .type = "float"});
  ASSERT_FALSE(schema.Check());
  EXPECT_EQ(schema.Check().error().message, "two output columns would be named 'scores'");
}

TEST(OutputSchema, NamesTheKeyThatIsDamaged) {
  const auto error = [](const char* pointer, const Json& value) {
    Json json = Example().ToJson();
    json[Json::json_pointer(pointer)] = value;
    auto schema = OutputSchema::FromJson(json);
    EXPECT_FALSE(schema) << pointer;
    if (schema) return std::string();
    EXPECT_EQ(schema.error().code, ErrorCode::kCorrupt);
    return schema.error().message;
  };
  EXPECT_EQ(error("/kept", 1), "output schema: 'kept' is missing or no array");
  EXPECT_EQ(error("/kept/0", 1), "output schema: 'kept.name' is missing or no string");
  EXPECT_EQ(error("/kept/0/type", 1), "output schema: 'kept.type' is missing or no string");
  EXPECT_EQ(error("/top_k", -1), "output schema: 'top_k' is missing or no number of classes");
  EXPECT_EQ(error("/softmax", "yes"), "output schema: 'softmax' is missing or no boolean");
  EXPECT_EQ(error("/label_names/1", 7),
            "output schema: 'label_names' is missing or no array of strings");
  EXPECT_EQ(error("/outputs/0/elements", 0),
            "output schema: 'outputs.elements' is missing or no positive integer");
  EXPECT_EQ(OutputSchema::FromJson(Json::array()).error().message, "output schema: no object");
}

}  // namespace
}  // namespace armada
