#include "data/decode_jpeg.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it
#include <string>

#include <jpeglib.h>

#include <jerror.h>

#include "data/decode_pixels.h"

namespace armada {
namespace {

// A scan may cost time for all pixels and take a few bytes. Encoders write 10 or so.
constexpr int kMostScans = 100;
// What libjpeg may take for a progressive picture: two bytes a coefficient, up to four channels,
// and some for strips of rows.
constexpr int64_t kBytesPerPixel = 8;
constexpr int64_t kMoreBytes = 64 << 20;
constexpr size_t kRowsAtOnce = 8;  // libjpeg gives one or two
// Without Adobe's marker, too, CMYK is taken as Adobe writes it: inverted. Pillow does so.
constexpr size_t kCmykChannels = 4;

enum class Step : uint8_t { kDone, kEndsEarly, kFailed };

// One picture's libjpeg objects. libjpeg reports errors by a function that must not return: it
// jumps to the step that is under way. A step has no objects with destructors, as a jump would
// pass them over.
struct Session {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  jpeg_source_mgr source;
  jpeg_progress_mgr progress;
  jmp_buf step;
  bool too_many_scans;
};

Session& SessionOf(j_common_ptr info) { return *static_cast<Session*>(info->client_data); }

[[noreturn]] void OnError(j_common_ptr info) { std::longjmp(SessionOf(info).step, 1); }
void OnMessage(j_common_ptr) {}
void OnWarning(j_common_ptr, int) {}

void OnProgress(j_common_ptr info) {
  Session& session = SessionOf(info);
  if (session.info.input_scan_number <= kMostScans) return;
  session.too_many_scans = true;
  OnError(info);
}

// All bytes are there from the start. At their end libjpeg is told to wait for more, so that it
// never makes up pixels.
void OnSource(j_decompress_ptr) {}
boolean OnMoreInput(j_decompress_ptr) { return FALSE; }
void OnSkip(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  jpeg_source_mgr& source = *info->src;
  const size_t step = std::min(static_cast<size_t>(count), source.bytes_in_buffer);
  source.next_input_byte += step;
  source.bytes_in_buffer -= step;
}

Step ReadHeader(Session& session, std::span<const std::byte> bytes, int64_t max_memory) {
  jpeg_decompress_struct& info = session.info;
  info.err = jpeg_std_error(&session.errors);
  session.errors.error_exit = OnError;
  session.errors.output_message = OnMessage;
  session.errors.emit_message = OnWarning;
  info.client_data = &session;
  if (setjmp(session.step) != 0) return Step::kFailed;
  jpeg_create_decompress(&info);
  info.mem->max_memory_to_use = static_cast<long>(max_memory);
  session.source = {.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data()),
                    .bytes_in_buffer = bytes.size(),
                    .init_source = OnSource,
                    .fill_input_buffer = OnMoreInput,
                    .skip_input_data = OnSkip,
                    .resync_to_restart = jpeg_resync_to_restart,
                    .term_source = OnSource};
  info.src = &session.source;
  session.progress.progress_monitor = OnProgress;
  info.progress = &session.progress;
  return jpeg_read_header(&info, TRUE) == JPEG_SUSPENDED ? Step::kEndsEarly : Step::kDone;
}

// Of a progressive picture this reads all but the pixels.
Step Start(Session& session) {
  if (setjmp(session.step) != 0) return Step::kFailed;
  return jpeg_start_decompress(&session.info) ? Step::kDone : Step::kEndsEarly;
}

// Rows as libjpeg makes them → the picture's rows. Straight into the picture, or by way of `rows`.
struct Rows {
  uint8_t* rows;  // kRowsAtOnce rows of libjpeg's; null: they are the picture's own
  uint8_t* pixels;
  size_t row_bytes;  // of the picture
  PictureColor color;
};

void ConvertRow(const jpeg_decompress_struct& info, const Rows& to, uint8_t* from, uint8_t* out) {
  const size_t width = info.output_width;
  if (info.out_color_space != JCS_CMYK) {
    RgbToGray(from, width, out);
  } else if (to.color == PictureColor::kGray) {
    InvertedCmykToRgb(from, width, false, from);  // in place: three bytes never overtake four
    RgbToGray(from, width, out);
  } else {
    InvertedCmykToRgb(from, width, to.color == PictureColor::kBgr, out);
  }
}

Step ReadRows(Session& session, const Rows& to) {
  if (setjmp(session.step) != 0) return Step::kFailed;
  jpeg_decompress_struct& info = session.info;
  const size_t from_bytes = size_t{info.output_width} * static_cast<size_t>(info.output_components);
  while (info.output_scanline < info.output_height) {
    const size_t done = info.output_scanline;
    const size_t count = std::min<size_t>(kRowsAtOnce, info.output_height - done);
    uint8_t* out = to.pixels + done * to.row_bytes;
    std::array<JSAMPROW, kRowsAtOnce> into;
    for (size_t i = 0; i < count; ++i)
      into[i] = to.rows == nullptr ? out + i * to.row_bytes : to.rows + i * from_bytes;
    const JDIMENSION got = jpeg_read_scanlines(&info, into.data(), static_cast<JDIMENSION>(count));
    if (got == 0) return Step::kEndsEarly;
    if (to.rows == nullptr) continue;
    for (size_t i = 0; i < got; ++i) ConvertRow(info, to, into[i], out + i * to.row_bytes);
  }
  // Looks for the end marker. That it is missing is no fault; what can't be there is.
  jpeg_finish_decompress(&info);
  return Step::kDone;
}

std::unexpected<Error> Fault(Session& session, Step step, size_t bytes) {
  // Arithmetic decoding can't wait for more bytes: it fails.
  const bool ends_early = step == Step::kEndsEarly || session.errors.msg_code == JERR_CANT_SUSPEND;
  if (ends_early) return PictureEndsEarly("JPEG", bytes);
  if (session.too_many_scans)
    return Fail(ErrorCode::kInvalid, "JPEG: more than {} scans", kMostScans);
  switch (session.errors.msg_code) {
    case JERR_OUT_OF_MEMORY:
      return Fail(ErrorCode::kLimit, "JPEG: out of memory");
    case JERR_NO_BACKING_STORE:
      return Fail(ErrorCode::kInvalid, "JPEG: takes more memory than its pixels may");
    case JERR_BAD_PRECISION:
      return Fail(ErrorCode::kInvalid, "JPEG: {} bits a sample are not read (8 are)",
                  session.info.data_precision);
    case JERR_SOF_UNSUPPORTED:
      return Fail(ErrorCode::kInvalid, "JPEG: lossless and hierarchical JPEG are not read");
    case JERR_EMPTY_IMAGE:
      return Fail(ErrorCode::kInvalid, "JPEG: no pixels");
    case JERR_NO_IMAGE:
      return Fail(ErrorCode::kInvalid, "JPEG: holds no picture");
    default:
      break;
  }
  std::array<char, JMSG_LENGTH_MAX> text{};
  session.errors.format_message(reinterpret_cast<j_common_ptr>(&session.info), text.data());
  return Fail(ErrorCode::kInvalid, "JPEG: damaged: {}", text.data());
}

// The largest of 8, 4, 2 and 1 that leaves the shorter side enough.
unsigned ScaleDown(const jpeg_decompress_struct& info, int fast_short_side) {
  const int64_t side = std::min(info.image_width, info.image_height);
  if (fast_short_side <= 0) return 1;
  for (const int64_t by : {8, 4, 2})
    if ((side + by - 1) / by >= fast_short_side) return static_cast<unsigned>(by);
  return 1;
}

// What libjpeg is asked for; kGray only of JPEGs that are grey, as luminance is not Pillow's grey.
Status ChooseColor(jpeg_decompress_struct& info, PictureColor color) {
  switch (info.num_components) {
    case 1:
    case 3:
      if (color == PictureColor::kGray)
        info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_EXT_RGB;
      else
        info.out_color_space = color == PictureColor::kBgr ? JCS_EXT_BGR : JCS_EXT_RGB;
      return {};
    case 4:
      info.out_color_space = JCS_CMYK;
      return {};
    default:
      return Fail(ErrorCode::kInvalid, "JPEG: {} channels are not read (1, 3 and 4 are)",
                  info.num_components);
  }
}

Status DecodeIn(Session& session, std::span<const std::byte> bytes, const DecodeOptions& options,
                Picture* picture, std::vector<uint8_t>* rows) {
  const int64_t max_memory = options.max_pixels * kBytesPerPixel + kMoreBytes;
  if (const Step step = ReadHeader(session, bytes, max_memory); step != Step::kDone)
    return Fault(session, step, bytes.size());
  jpeg_decompress_struct& info = session.info;
  RETURN_IF_ERROR(CheckPixels("JPEG", info.image_width, info.image_height, options.max_pixels));
  RETURN_IF_ERROR(ChooseColor(info, options.color));
  info.scale_num = 1;
  info.scale_denom = ScaleDown(info, options.fast_short_side);
  if (const Step step = Start(session); step != Step::kDone)
    return Fault(session, step, bytes.size());

  ShapePicture(info.output_width, info.output_height, options.color, picture);
  const bool straight =
      info.out_color_space != JCS_CMYK &&
      (info.out_color_space == JCS_GRAYSCALE) == (options.color == PictureColor::kGray);
  if (!straight) rows->resize(kRowsAtOnce * kCmykChannels * info.output_width);
  const Rows to{.rows = straight ? nullptr : rows->data(),
                .pixels = picture->pixels.data(),
                .row_bytes = size_t{info.output_width} * static_cast<size_t>(picture->channels),
                .color = options.color};
  if (const Step step = ReadRows(session, to); step != Step::kDone)
    return Fault(session, step, bytes.size());
  return {};
}

// Memory is given back, also when the vectors of DecodeIn throw.
struct Destroyer {
  jpeg_decompress_struct& info;
  ~Destroyer() { jpeg_destroy_decompress(&info); }
};

}  // namespace

// libjpeg's objects are made anew for each picture: they keep quantisation and Huffman tables from
// one to the next, and a picture without some would be decoded with those of the one before it.
// Making them costs a hundredth of a small picture's time.
Status DecodeJpeg(std::span<const std::byte> bytes, const DecodeOptions& options, Picture* picture,
                  std::vector<uint8_t>* rows) {
  Session session{};
  const Destroyer destroyer{session.info};
  return DecodeIn(session, bytes, options, picture, rows);
}

}  // namespace armada
