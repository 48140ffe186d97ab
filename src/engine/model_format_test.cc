#include "engine/model_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/file.h"
#include "platform/scratch_folder.h"
#include "test_paths.h"

namespace armada {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string TestModel(const std::string& name) { return SOURCE_DIR "/tests/models/" + name; }

Error DetectError(const std::string& path) {
  const auto format = DetectModelFormat(path);
  EXPECT_FALSE(format) << path;
  const Error error = format ? Error{} : format.error();
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_THAT(error.message, HasSubstr(path));
  return error;
}

TEST(ModelFormat, IsToldByContent) {
  EXPECT_EQ(DetectModelFormat(TestModel("dense.onnx")), ModelFormat::kOnnx);
  EXPECT_EQ(DetectModelFormat(TestModel("dense.tflite")), ModelFormat::kTflite);
  EXPECT_EQ(DetectModelFormat(TestModel("dense.xml")), ModelFormat::kIr);
  EXPECT_EQ(DetectModelFormat(TestModel("saved_model")), ModelFormat::kSavedModel);
  EXPECT_EQ(DetectModelFormat(TestModel("saved_model/")), ModelFormat::kSavedModel);
}

TEST(ModelFormat, AKerasFileComesWithTheLinesThatExportIt) {
  for (const std::string name : {"tiny.keras", "tiny.h5"}) {
    const Error error = DetectError(TestModel(name));
    EXPECT_THAT(error.message, HasSubstr("Keras"));
    EXPECT_THAT(error.remedy, HasSubstr("keras.saving.load_model(\"" + name + "\")"));
    EXPECT_THAT(error.remedy, HasSubstr("model.export(\"tiny\")"));
  }
}

TEST(ModelFormat, AKerasFileIsRecognisedUnderAnyName) {
  ScratchFolder folder;
  ASSERT_TRUE(CopyFileTo(TestModel("tiny.h5"), folder / "weights.onnx"));
  ASSERT_TRUE(CopyFileTo(TestModel("tiny.keras"), folder / "model.bin"));
  EXPECT_THAT(DetectError(folder / "weights.onnx").message, HasSubstr("Keras"));
  EXPECT_THAT(DetectError(folder / "model.bin").message, HasSubstr("Keras"));
}

TEST(ModelFormat, APyTorchFileComesWithTheLinesThatExportIt) {
  const Error error = DetectError(TestModel("tiny.pt"));
  EXPECT_THAT(error.message, HasSubstr("PyTorch"));
  EXPECT_THAT(error.remedy, HasSubstr("torch.load(\"tiny.pt\""));
  EXPECT_THAT(error.remedy, HasSubstr("torch.onnx.export(model"));
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "old.pth", "\x80\x02 a pickle of before 2020"));
  EXPECT_THAT(DetectError(folder / "old.pth").message, HasSubstr("PyTorch"));
}

TEST(ModelFormat, WhatIsNoModelSaysWhatItIs) {
  ScratchFolder folder;
  EXPECT_THAT(DetectError(folder / "gone.onnx").message, HasSubstr("there is no such model"));
  ASSERT_TRUE(ReplaceFile(folder / "empty.onnx", ""));
  EXPECT_THAT(DetectError(folder / "empty.onnx").message, HasSubstr("an empty file"));
  ASSERT_TRUE(ReplaceFile(folder / "notes.txt", "hello"));
  EXPECT_THAT(DetectError(folder / "notes.txt").remedy, HasSubstr(".onnx"));
  ASSERT_TRUE(ReplaceFile(folder / "photos.zip", "PK\x03\x04 and so on"));
  EXPECT_THAT(DetectError(folder / "photos.zip").message, HasSubstr("a zip file"));
  ASSERT_TRUE(ReplaceFile(folder / "short.tflite", "1234TF"));
  EXPECT_THAT(DetectError(folder / "short.tflite").message, HasSubstr("not a TFLite file"));
  ASSERT_TRUE(ReplaceFile(folder / "page.xml", "<html></html>"));
  EXPECT_THAT(DetectError(folder / "page.xml").message, HasSubstr("no <net>"));
  ASSERT_TRUE(ReplaceFile(folder / "alone.xml", "<net name=\"x\"/>"));
  EXPECT_THAT(DetectError(folder / "alone.xml").message, HasSubstr("alone.bin"));
}

TEST(ModelFormat, AFolderThatIsNoModelNamesTheOneInIt) {
  ScratchFolder folder;
  ASSERT_TRUE(MakeFolders(folder / "model"));
  EXPECT_THAT(DetectError(folder / "model").message, HasSubstr("an empty folder"));
  ASSERT_TRUE(ReplaceFile(folder / "model/readme.md", "hello"));
  EXPECT_THAT(DetectError(folder / "model").message, HasSubstr("without saved_model.pb"));
  ASSERT_TRUE(ReplaceFile(folder / "model/net.onnx", "x"));
  EXPECT_THAT(DetectError(folder / "model").remedy, HasSubstr("model/net.onnx"));
  EXPECT_THAT(DetectError(TestModel("saved_model/saved_model.pb")).remedy,
              HasSubstr("tests/models/saved_model/"));
}

TEST(ModelFiles, AreAllThatACopyNeeds) {
  EXPECT_THAT(ListModelFiles(TestModel("dense.onnx"))->files, ElementsAre("dense.onnx"));
  EXPECT_THAT(ListModelFiles(TestModel("dense.xml"))->files, ElementsAre("dense.bin", "dense.xml"));
  const auto saved_model = ListModelFiles(TestModel("saved_model/"));
  ASSERT_TRUE(saved_model);
  EXPECT_THAT(saved_model->files,
              ElementsAre("saved_model/fingerprint.pb", "saved_model/saved_model.pb",
                          "saved_model/variables/variables.data-00000-of-00001",
                          "saved_model/variables/variables.index"));
  for (const std::string& file : saved_model->files) {
    EXPECT_TRUE(IsFile(saved_model->folder + "/" + file)) << file;
  }
}

TEST(ModelFiles, TheHashCoversEveryFile) {
  ScratchFolder folder;
  ASSERT_TRUE(CopyFileTo(TestModel("dense.xml"), folder / "dense.xml"));
  ASSERT_TRUE(CopyFileTo(TestModel("dense.bin"), folder / "dense.bin"));
  const std::string original = HashModel(TestModel("dense.xml")).value();
  EXPECT_EQ(HashModel(folder / "dense.xml").value(), original);
  ASSERT_TRUE(ReplaceFile(folder / "dense.bin", "other weights"));
  EXPECT_NE(HashModel(folder / "dense.xml").value(), original);
}

}  // namespace
}  // namespace armada
