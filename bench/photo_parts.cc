// The bare parts of a photos job, each alone: what bench/photos.py divides a whole job by. LIST is
// a file that names a photo (JPEG) a line.
//
//   bench_photo_parts read LIST              opens, reads and closes every file
//   bench_photo_parts read-tar TAR           reads the file's bytes, 1 MiB at a time
//   bench_photo_parts decode LIST LANES      libjpeg-turbo alone, to pixels of B, G, R
//   bench_photo_parts resize LIST LANES SPEC…   Armada's resizing alone, of what was decoded
//   bench_photo_parts pixels LIST LANES SPEC…   Armada's decoding and resizing, as a lane calls
//   them bench_photo_parts infer MODEL LIST BATCH LANES N PRECISION   ov::InferRequest over N
//   photos
//
// SPEC… is SIDE FIT [SHORTER_SIDE]: 224 stretch, or 224 resize-then-crop 256. Photos are in memory
// before a part begins, and LANES threads share them. Prints one line of JSON: CPU and wall
// nanoseconds of the work itself, without start-up; resize's leave out the decoding in between.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <jpeglib.h>
#include <openvino/openvino.hpp>

#include "data/decode_picture.h"
#include "data/resize_picture.h"
#include "part.h"

namespace {

using armada::Picture;
using armada::bench::Die;
using armada::bench::Now;
using armada::bench::Stopwatch;

std::vector<std::string> Lines(const std::string& list) {
  std::ifstream stream(list);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  if (lines.empty()) Die(list + ": names no photos");
  return lines;
}

int64_t ReadFile(const std::string& path, std::vector<char>& buffer) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) Die("cannot open " + path);
  int64_t bytes = 0;
  for (ssize_t n; (n = read(fd, buffer.data(), buffer.size())) > 0;) bytes += n;
  close(fd);
  return bytes;
}

void Read(const std::vector<std::string>& files, const char* part) {
  std::vector<char> buffer(1 << 20);
  const Stopwatch watch;
  int64_t bytes = 0;
  for (const std::string& file : files) bytes += ReadFile(file, buffer);
  watch.Print(part, bytes);
}

using Bytes = std::vector<std::byte>;

std::vector<Bytes> Load(const std::string& list) {
  std::vector<Bytes> photos;
  for (const std::string& path : Lines(list)) {
    std::ifstream stream(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(stream)),
                            std::istreambuf_iterator<char>());
    if (bytes.empty()) Die("cannot read " + path);
    const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
    photos.emplace_back(begin, begin + bytes.size());
  }
  return photos;
}

// Calls work(thread's state, photo) for every photo, on so many threads.
template <typename State>
void Share(const std::vector<Bytes>& photos, int lanes, const std::function<State()>& make,
           const std::function<void(State&, const Bytes&)>& work) {
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < lanes; ++i) {
    threads.emplace_back([&] {
      State state = make();
      for (size_t at; (at = next.fetch_add(1)) < photos.size();) work(state, photos[at]);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// As libjpeg's own example.c does it; a lane's state is kept from one photo to the next.
class BareDecoder {
 public:
  BareDecoder() {
    info_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr) { Die("libjpeg: not a whole JPEG"); };
    jpeg_create_decompress(&info_);
  }
  BareDecoder(const BareDecoder&) = delete;
  BareDecoder& operator=(const BareDecoder&) = delete;
  ~BareDecoder() { jpeg_destroy_decompress(&info_); }

  const Picture& Decode(const Bytes& bytes) {
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&info_, TRUE);
    info_.out_color_space = JCS_EXT_BGR;
    jpeg_start_decompress(&info_);
    picture_.width = static_cast<int>(info_.output_width);
    picture_.height = static_cast<int>(info_.output_height);
    picture_.channels = info_.output_components;
    const size_t stride = static_cast<size_t>(picture_.width) * 3;
    picture_.pixels.resize(stride * info_.output_height);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = picture_.pixels.data() + stride * info_.output_scanline;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return picture_;
  }

 private:
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  Picture picture_;
};

void Decode(const std::vector<Bytes>& photos, int lanes) {
  using State = std::unique_ptr<BareDecoder>;
  const Stopwatch watch;
  Share<State>(
      photos, lanes, [] { return std::make_unique<BareDecoder>(); },
      [](State& decoder, const Bytes& photo) { decoder->Decode(photo); });
  watch.Print("decode", static_cast<int64_t>(photos.size()));
}

struct Resizing {
  explicit Resizing(const armada::ResizeSpec& spec)
      : decoder({.color = armada::PictureColor::kBgr}),
        resizer(spec),
        to(static_cast<size_t>(spec.width) * static_cast<size_t>(spec.height) * 3) {}
  BareDecoder bare;
  armada::PictureDecoder decoder;
  Picture picture;
  armada::PictureResizer resizer;
  std::vector<uint8_t> to;
};

void Resize(const std::vector<Bytes>& photos, int lanes, const armada::ResizeSpec& spec) {
  std::atomic<int64_t> cpu_ns = 0;
  using State = std::unique_ptr<Resizing>;
  Share<State>(
      photos, lanes, [&] { return std::make_unique<Resizing>(spec); },
      [&](State& state, const Bytes& photo) {
        const Picture& picture = state->bare.Decode(photo);
        const int64_t start = Now(CLOCK_THREAD_CPUTIME_ID);
        state->resizer.Resize(picture, state->to);
        cpu_ns += Now(CLOCK_THREAD_CPUTIME_ID) - start;
      });
  std::printf("{\"part\": \"resize\", \"count\": %zu, \"cpu_ns\": %lld}\n", photos.size(),
              static_cast<long long>(cpu_ns));
}

void Pixels(const std::vector<Bytes>& photos, int lanes, const armada::ResizeSpec& spec) {
  using State = std::unique_ptr<Resizing>;
  const Stopwatch watch;
  Share<State>(
      photos, lanes, [&] { return std::make_unique<Resizing>(spec); },
      [](State& state, const Bytes& photo) {
        if (armada::Status done = state->decoder.Decode(photo, &state->picture); !done)
          Die(done.error().message);
        state->resizer.Resize(state->picture, state->to);
      });
  watch.Print("pixels", static_cast<int64_t>(photos.size()));
}

void Infer(const std::string& model_path, const std::string& list, int64_t batch, int lanes,
           int64_t photos, const std::string& precision) {
  constexpr int kSide = 224;
  constexpr size_t kBytes = size_t{kSide} * kSide * 3;
  std::vector<Bytes> files = Load(list);
  Resizing state({.width = kSide, .height = kSide});
  std::vector<uint8_t> pixels(static_cast<size_t>(batch) * kBytes);
  for (size_t i = 0; i < static_cast<size_t>(batch); ++i)
    state.resizer.Resize(state.bare.Decode(files[i % files.size()]),
                         std::span(pixels).subspan(i * kBytes, kBytes));

  ov::Core core;
  std::shared_ptr<ov::Model> model = core.read_model(model_path);
  ov::PartialShape shape = model->input().get_partial_shape();
  shape[0] = batch;
  model->reshape(shape);
  ov::preprocess::PrePostProcessor steps(model);
  steps.input().tensor().set_element_type(ov::element::u8).set_layout("NHWC");
  steps.input().preprocess().convert_element_type(ov::element::f32).mean({104, 117, 123});
  ov::CompiledModel compiled =
      core.compile_model(steps.build(), "CPU", ov::num_streams(lanes),
                         ov::inference_num_threads(lanes), ov::hint::enable_cpu_pinning(false),
                         ov::hint::inference_precision(ov::element::Type(precision)));
  auto lane = [&](int64_t count, ov::InferRequest request) {
    for (int64_t done = 0; done < count; done += batch) {
      request.set_input_tensor(ov::Tensor(compiled.input().get_element_type(),
                                          compiled.input().get_shape(), pixels.data()));
      request.infer();
    }
  };
  for (int i = 0; i < lanes; ++i) lane(2 * batch, compiled.create_infer_request());  // warm-up

  const int64_t batches = (photos + batch - 1) / batch;
  const Stopwatch watch;
  std::vector<std::thread> threads;
  for (int i = 0; i < lanes; ++i)
    threads.emplace_back(lane, (batches / lanes + (i < batches % lanes ? 1 : 0)) * batch,
                         compiled.create_infer_request());
  for (std::thread& thread : threads) thread.join();
  watch.Print("infer", batches * batch);
}

armada::ResizeSpec SpecOf(std::span<const std::string> words) {
  armada::ResizeSpec spec;
  spec.width = spec.height = std::stoi(words[0]);
  if (words[1] == "resize-then-crop" && words.size() == 3) {
    spec.fit = armada::PictureFit::kResizeThenCrop;
    spec.short_side = std::stoi(words[2]);
  } else if (words[1] != "stretch") {
    Die("a fit is stretch, or resize-then-crop and a number");
  }
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string part = arguments.empty() ? "" : arguments[0];
  const size_t count = arguments.size();
  if (part == "read" && count == 2) {
    Read(Lines(arguments[1]), "read");
  } else if (part == "read-tar" && count == 2) {
    Read({arguments[1]}, "read-tar");
  } else if (part == "decode" && count == 3) {
    Decode(Load(arguments[1]), std::stoi(arguments[2]));
  } else if (part == "resize" && (count == 5 || count == 6)) {
    Resize(Load(arguments[1]), std::stoi(arguments[2]), SpecOf(std::span(arguments).subspan(3)));
  } else if (part == "pixels" && (count == 5 || count == 6)) {
    Pixels(Load(arguments[1]), std::stoi(arguments[2]), SpecOf(std::span(arguments).subspan(3)));
  } else if (part == "infer" && count == 7) {
    Infer(arguments[1], arguments[2], std::stoll(arguments[3]), std::stoi(arguments[4]),
          std::stoll(arguments[5]), arguments[6]);
  } else {
    Die("usage: see the head of bench/photo_parts.cc");
  }
}
