// Which pictures a model takes, and what is said when a job file asks for others.
#include "ledger/resolve_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace armada {
namespace {

using testing::HasSubstr;

Signature Takes(std::vector<int64_t> shape) {
  Signature signature;
  signature.inputs.push_back({.name = "image", .declared = "f32", .shape = std::move(shape)});
  return signature;
}

struct Resolved {
  InputSpec input{.format = "images"};
  InputTransform transform;
  std::string error;
};

Resolved Resolve(const std::string& preprocess, std::vector<int64_t> shape,
                 const std::string& layout = "auto") {
  const auto spec = ParseJobSpec("model: {path: m.onnx, layout: " + layout +
                                     "}\ninput: {uri: p}\npreprocess: {" + preprocess + "}\n",
                                 "job.yaml", "", {});
  EXPECT_TRUE(spec.has_value()) << spec.error().ToString();
  Resolved resolved;
  const Status status =
      ResolvePicture(*spec, Takes(std::move(shape)), &resolved.input, &resolved.transform);
  if (!status) resolved.error = status.error().ToString();
  return resolved;
}

TEST(ResolvePicture, ChannelsLastOrFirst) {
  const Resolved last = Resolve("", {224, 192, 3});
  EXPECT_EQ(last.error, "");
  EXPECT_EQ(last.input.picture->resize.height, 224);
  EXPECT_EQ(last.input.picture->resize.width, 192);
  EXPECT_FALSE(last.transform.planes);
  EXPECT_EQ(last.transform.fed, ElementType::kU8);
  const Resolved first = Resolve("color: gray", {1, 28, 30});
  EXPECT_EQ(first.error, "");
  EXPECT_EQ(first.input.picture->resize.height, 28);
  EXPECT_EQ(first.input.picture->color, PictureColor::kGray);
  EXPECT_TRUE(first.transform.planes);
}

TEST(ResolvePicture, EveryKeyArrives) {
  const Resolved resolved = Resolve(
      "size: [10, 20], fit: {resize-then-crop: 12}, filter: lanczos, color: bgr, "
      "orientation: stored, decode: fast",
      {10, 20, 3});
  EXPECT_EQ(resolved.error, "");
  EXPECT_EQ(*resolved.input.picture, (PictureSpec{.color = PictureColor::kBgr,
                                                  .orient = false,
                                                  .fast = true,
                                                  .resize = {.width = 20,
                                                             .height = 10,
                                                             .fit = PictureFit::kResizeThenCrop,
                                                             .short_side = 12,
                                                             .filter = PictureFilter::kLanczos}}));
}

TEST(ResolvePicture, SaysWhatDoesNotFit) {
  EXPECT_THAT(Resolve("", {10}).error, HasSubstr("is no picture's"));
  EXPECT_THAT(Resolve("", {5, 6, 7}).error, HasSubstr("set model.layout to nchw"));
  EXPECT_THAT(Resolve("", {3, 6, 3}).error, HasSubstr("not clear"));
  EXPECT_EQ(Resolve("", {3, 6, 3}, "nchw").input.picture->resize.width, 3);
  EXPECT_THAT(Resolve("", {1, 28, 28}).error, HasSubstr("set preprocess.color to gray"));
  EXPECT_THAT(Resolve("color: gray", {3, 28, 28}).error, HasSubstr("rgb or bgr"));
  EXPECT_THAT(Resolve("", {28, 28, 4}, "nhwc").error, HasSubstr("takes pictures of 4 channels"));
  EXPECT_THAT(Resolve("size: 224", {3, 28, 224}).error,
              HasSubstr("takes pictures of 28 × 224 (height × width), and preprocess.size is "
                        "[224, 224]\n  remove preprocess.size"));
  EXPECT_THAT(Resolve("", {3, 28, 40'000}).error, HasSubstr("larger than 16384 a side"));
}

TEST(CheckNoPictureKeys, NamesTheKeyThatIsForPictures) {
  for (const std::string key : {"preset: keras-tf", "size: 9", "fit: cover", "filter: nearest",
                                "color: gray", "decode: fast"}) {
    const auto spec = ParseJobSpec(
        "model: {path: m.onnx}\ninput: {uri: p}\npreprocess: {" + key + "}", "job.yaml", "", {});
    const Status status = CheckNoPictureKeys(*spec);
    ASSERT_FALSE(status.has_value()) << key;
    EXPECT_THAT(status.error().message, HasSubstr("is for pictures"));
  }
  EXPECT_TRUE(CheckNoPictureKeys(JobSpec()));
}

Result<std::vector<int64_t>> Fill(const std::string& keys, std::vector<int64_t> shape,
                                  const std::string& layout = "auto") {
  const auto spec =
      ParseJobSpec("model: {path: m.onnx, layout: " + layout + "}\ninput: {uri: p}\n" + keys + "\n",
                   "job.yaml", "", {});
  EXPECT_TRUE(spec.has_value()) << spec.error().ToString();
  return FilledShape(*spec, Takes(std::move(shape)).inputs[0]);
}

TEST(FilledShape, TakesOpenSizesFromPreprocess) {
  const std::string size = "preprocess: {size: [20, 30]}";
  using Shape = std::vector<int64_t>;
  EXPECT_EQ(Fill(size, {3, -1, -1}).value(), (Shape{3, 20, 30}));
  EXPECT_EQ(Fill(size, {-1, -1, 3}).value(), (Shape{20, 30, 3}));
  EXPECT_EQ(Fill(size, {3, 224, -1}).value(), (Shape{3, 224, 30})) << "what is fixed stays";
  EXPECT_EQ(Fill(size, {-1, -1, -1}, "nhwc").value(), (Shape{20, 30, -1}));
  EXPECT_EQ(Fill(size, {-1}).value(), (Shape{-1})) << "no picture's";
}

TEST(FilledShape, SaysWhatToSet) {
  EXPECT_THAT(Fill("", {3, -1, -1}).error().ToString(), HasSubstr("preprocess.size, for example"));
}

}  // namespace
}  // namespace armada
