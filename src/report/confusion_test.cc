#include "report/confusion.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

TEST(Confusion, AccuracyPrecisionAndRecallByHand) {
  Confusion confusion;
  confusion.Add("cat", "cat", 8);
  confusion.Add("cat", "dog", 2);
  confusion.Add("dog", "dog", 5);
  EXPECT_EQ(confusion.total(), 15);
  EXPECT_EQ(confusion.right(), 13);
  const std::vector<Confusion::ClassScore> classes = confusion.Classes();
  ASSERT_EQ(classes.size(), 2u);
  EXPECT_EQ(classes[0].name, "cat");
  EXPECT_DOUBLE_EQ(classes[0].recall(), 0.8);
  EXPECT_DOUBLE_EQ(classes[0].precision(), 1.0);
  EXPECT_DOUBLE_EQ(classes[1].recall(), 1.0);
  EXPECT_DOUBLE_EQ(classes[1].precision(), 5.0 / 7);
}

TEST(Confusion, TheTableIsAligned) {
  Confusion confusion;
  confusion.Add("10", "10", 1200);
  confusion.Add("9", "9", 7);
  confusion.Add("9", "10", 3);
  EXPECT_EQ(confusion.Render(80),
            "true            9    10 recall %\n"
            "9               7     3     70.0\n"
            "10              . 1,200    100.0\n"
            "precision % 100.0  99.8\n");
}

TEST(Confusion, NumbersSortAsNumbersAndNamesAsText) {
  Confusion numbers;
  for (const char* name : {"10", "2", "1"}) numbers.Add(name, name);
  EXPECT_EQ(numbers.Classes()[1].name, "2");
  Confusion names;
  for (const char* name : {"10", "2", "x"}) names.Add(name, name);
  EXPECT_EQ(names.Classes()[0].name, "10");
}

TEST(Confusion, ManyClassesShowTheWorstOnes) {
  Confusion confusion;
  for (int i = 0; i < 100; ++i) confusion.Add(std::to_string(i), std::to_string(i), 10);
  confusion.Add("42", "7", 30);
  const std::string text = confusion.Render(100);
  EXPECT_NE(text.find("100 classes; lowest recall:"), std::string::npos);
  EXPECT_NE(text.find("42                                40      25.0        100.0"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("42                                30  taken for 7"), std::string::npos);
}

TEST(Confusion, IsBoundedAndItsAccuracyStaysExact) {
  Confusion confusion;
  for (int i = 0; i < 5000; ++i) confusion.Add(std::to_string(i), std::to_string(i + 1));
  EXPECT_EQ(confusion.right(), 0);
  EXPECT_EQ(confusion.total(), 5000);
  EXPECT_LE(confusion.Classes().size(), Confusion::kMaxClasses + 1);
}

TEST(Confusion, HostileClassNamesCannotDriveATerminal) {
  Confusion confusion;
  confusion.Add("\x1b[2J", "\x1b[2J");
  EXPECT_EQ(confusion.Render(200).find('\x1b'), std::string::npos);
  EXPECT_EQ(confusion.ToJson().dump().find("\\u001b"), std::string::npos);
}

TEST(Confusion, WithoutRecordsNothingIsDividedByZero) {
  EXPECT_EQ(Confusion().accuracy(), 0);
  EXPECT_EQ(Confusion().Classes().size(), 0u);
}

}  // namespace
}  // namespace armada
