#include "ledger/resolve_picture.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "base/text.h"

namespace armada {
namespace {

bool AreChannels(int64_t dimension) { return dimension == 1 || dimension == 3; }

struct Shape {
  bool planes = false;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
};

Result<Shape> ShapeOf(const JobSpec& spec, const TensorSpec& input) {
  const std::vector<int64_t>& shape = input.shape;
  const std::string name = Printable(input.ToString());
  if (shape.size() != 3)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: its input {} is no picture's (height, width and channels)",
                                Printable(spec.model.path), name),
                    "give the job the model's own kind of input");
  bool planes = spec.model.layout == "nchw";
  if (spec.model.layout == "auto") {
    planes = AreChannels(shape[0]);
    if (planes == AreChannels(shape[2]))
      return FailWith(
          ErrorCode::kInvalid,
          fmt::format("{}: whether its input {} has its channels first or last is not clear",
                      Printable(spec.model.path), name),
          "set model.layout to nchw (first) or nhwc (last)");
  }
  if (planes) return Shape{true, shape[1], shape[2], shape[0]};
  return Shape{false, shape[0], shape[1], shape[2]};
}

template <class Enum>
Enum ByName(std::span<const std::string_view> names, std::string_view name) {
  return static_cast<Enum>(std::ranges::find(names, name) - names.begin());
}

Status CheckChannels(const JobSpec& spec, const Shape& shape, PictureColor color) {
  if (ChannelsOf(color) == shape.channels) return {};
  const std::string_view remedy = shape.channels == 1   ? "set preprocess.color to gray"
                                  : shape.channels == 3 ? "set preprocess.color to rgb or bgr"
                                                        : "set model.layout, if it was mistaken";
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: it takes pictures of {} channel{}, and preprocess.color is {}",
                              Printable(spec.model.path), shape.channels,
                              shape.channels == 1 ? "" : "s", spec.preprocess.color),
                  std::string(remedy));
}

Status CheckSize(const JobSpec& spec, const Shape& shape) {
  const std::vector<double>& size = spec.preprocess.size;
  if (size.empty() || (static_cast<int64_t>(size.front()) == shape.height &&
                       static_cast<int64_t>(size.back()) == shape.width))
    return {};
  return FailWith(
      ErrorCode::kInvalid,
      fmt::format("{}: it takes pictures of {} × {} (height × width), and "
                  "preprocess.size is [{:g}, {:g}]",
                  Printable(spec.model.path), shape.height, shape.width, size.front(), size.back()),
      "remove preprocess.size, or export the model for that size");
}

}  // namespace

Result<std::vector<int64_t>> FilledShape(const JobSpec& spec, const TensorSpec& input) {
  const std::vector<double>& size = spec.preprocess.size;
  if (input.shape.size() != 3) return input.shape;  // no picture's
  ASSIGN_OR_RETURN(Shape shape, ShapeOf(spec, input));
  const bool is_open = shape.height < 1 || shape.width < 1;
  if (is_open && size.empty())
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: its input {} leaves the pictures' height and width open",
                                Printable(spec.model.path), Printable(input.ToString())),
                    "say what your own code resizes to: preprocess.size, for example [224, 224]");
  if (shape.height < 1) shape.height = static_cast<int64_t>(size.front());
  if (shape.width < 1) shape.width = static_cast<int64_t>(size.back());
  if (shape.planes) return std::vector<int64_t>{shape.channels, shape.height, shape.width};
  return std::vector<int64_t>{shape.height, shape.width, shape.channels};
}

bool ArePictures(const InputSpec& input) {
  return input.format == "images" || input.format == "tar" || !input.column.empty();
}

Status ResolvePicture(const JobSpec& spec, const Signature& signature, InputSpec* input,
                      InputTransform* transform) {
  ASSIGN_OR_RETURN(const Shape shape, ShapeOf(spec, signature.inputs[0]));
  const auto& keys = spec.preprocess;
  PictureSpec picture;
  picture.color = ByName<PictureColor>(kPictureColorNames, keys.color);
  RETURN_IF_ERROR(CheckChannels(spec, shape, picture.color));
  RETURN_IF_ERROR(CheckSize(spec, shape));
  if (shape.height > kMaxPictureSide || shape.width > kMaxPictureSide)
    return Fail(ErrorCode::kInvalid, "{}: its pictures of {} × {} are larger than {} a side",
                Printable(spec.model.path), shape.height, shape.width, kMaxPictureSide);
  picture.orient = keys.orientation == "exif";
  picture.fast = keys.decode == "fast";
  picture.resize.height = static_cast<int>(shape.height);
  picture.resize.width = static_cast<int>(shape.width);
  const size_t colon = keys.fit.find(':');
  picture.resize.fit =
      ByName<PictureFit>(kPictureFitNames, std::string_view(keys.fit).substr(0, colon));
  if (colon != keys.fit.npos)
    std::from_chars(keys.fit.data() + colon + 1, keys.fit.data() + keys.fit.size(),
                    picture.resize.short_side);
  picture.resize.filter = ByName<PictureFilter>(kPictureFilterNames, keys.filter);
  input->picture = picture;
  input->element = ElementType::kU8;
  transform->fed = ElementType::kU8;
  transform->planes = shape.planes;
  return {};
}

Status CheckNoPictureKeys(const JobSpec& spec) {
  const auto& keys = spec.preprocess;
  const JobSpec unset;
  const auto& none = unset.preprocess;
  std::string_view wrong;
  if (keys.preset != none.preset) wrong = "preset";
  if (!keys.size.empty()) wrong = "size";
  if (keys.fit != none.fit) wrong = "fit";
  if (keys.filter != none.filter) wrong = "filter";
  if (keys.color != none.color) wrong = "color";
  if (keys.decode != none.decode) wrong = "decode";
  if (wrong.empty()) return {};
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("preprocess.{} is for pictures, and the records of {} are none",
                              wrong, Printable(spec.input.uri)),
                  "remove it; for a Parquet column of pictures, name that in input.column");
}

}  // namespace armada
