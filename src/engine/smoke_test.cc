#include "engine/smoke.h"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/env.h"
#include "platform/file.h"
#include "platform/scratch_folder.h"
#include "test_paths.h"

namespace armada {
namespace {

using testing::HasSubstr;

constexpr std::string_view kSchema =
    R"("inputs": [{"name": "image", "type": "u8", "shape": [4]}],
       "outputs": [{"name": "digit", "type": "f32", "shape": [10]}])";

class Smoke : public testing::Test {
 protected:
  std::string Fake(std::string_view more) {
    const std::string path = folder_ / "model.fake.json";
    EXPECT_TRUE(ReplaceFile(path, fmt::format("{{{}{}}}", kSchema, more)));
    return path;
  }
  Status Check(std::string_view engine, const std::string& path) {
    return SmokeTest(engine, path, {.max_batch = 64}, {.cache_folder = cache()});
  }
  std::string cache() const { return folder_ / "cache"; }
  size_t verdicts() const {
    const auto entries = ListFolder(cache());
    return entries ? entries->size() : 0;
  }

  ScratchFolder folder_;
};

TEST_F(Smoke, PassesWhereTheModelRuns) {
  EXPECT_TRUE(Check("openvino", SOURCE_DIR "/tests/models/dense.onnx"));
  EXPECT_TRUE(Check("openvino", SOURCE_DIR "/tests/models/batch1_only.onnx"));
  EXPECT_TRUE(Check("fake", Fake("")));
}

TEST_F(Smoke, AnEngineThatDiesOfASignalIsAnErrorThatNamesIt) {
  const std::string path = Fake(fmt::format(R"(, "signal": {})", SIGFPE));
  const Status status = Check("fake", path);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(status.error().message, HasSubstr("SIGFPE"));
  EXPECT_THAT(status.error().message, HasSubstr(path));
  EXPECT_THAT(status.error().message, HasSubstr(CpuModelName()));
  EXPECT_THAT(status.error().remedy, HasSubstr("instance type"));
}

TEST_F(Smoke, AKilledTestPointsToMemory) {
  const Status status = Check("fake", Fake(fmt::format(R"(, "signal": {})", SIGKILL)));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kLimit);
  EXPECT_THAT(status.error().message, HasSubstr("memory"));
}

TEST_F(Smoke, TheChildsErrorArrivesWhole) {
  const Status status = Check("openvino", SOURCE_DIR "/tests/models/two_inputs.onnx");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(status.error().message, HasSubstr("2 inputs"));
  EXPECT_THAT(status.error().remedy, HasSubstr("one input"));
  EXPECT_EQ(Check("fake", Fake(R"(, "fail_every": 1)")).error().code, ErrorCode::kInternal);
}

TEST_F(Smoke, AModelThatMixesRecordsIsRefused) {
  const Status status = Check("openvino", SOURCE_DIR "/tests/models/mixes_records.onnx");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(status.error().message, HasSubstr("depends on the other records"));
}

// The second test would fail if it ran: its child is a program that always fails.
TEST_F(Smoke, APassedTestIsRememberedForItsModelOnly) {
  const std::string path = Fake("");
  const SmokeOptions failing{.command = {"/bin/false"}, .cache_folder = cache()};
  ASSERT_TRUE(Check("fake", path));
  EXPECT_EQ(verdicts(), 1u);
  EXPECT_TRUE(SmokeTest("fake", path, {.max_batch = 64}, failing));
  Fake(R"(, "fail_every": 9)");  // another model under the same name
  EXPECT_FALSE(SmokeTest("fake", path, {.max_batch = 64}, failing));
}

TEST_F(Smoke, AFailedTestIsNotRemembered) {
  EXPECT_FALSE(Check("fake", Fake(R"(, "fail_every": 1)")));
  EXPECT_EQ(verdicts(), 0u);
}

TEST_F(Smoke, ABrokenCacheChangesNothing) {
  ASSERT_TRUE(ReplaceFile(cache(), "a file where the folder should be"));
  EXPECT_TRUE(Check("fake", Fake("")));
}

}  // namespace
}  // namespace armada

// The smoke test's child is this program itself.
int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "engine-smoke") {
    return armada::SmokeTestMain(std::vector<std::string>(argv + 2, argv + argc));
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
