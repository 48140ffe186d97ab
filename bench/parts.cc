// The bare parts of a digits job, each alone, with nothing of Armada in between: what
// bench/digits.py divides a whole job by.
//
//   bench_parts read  FILE…        reads the files' bytes, 1 MiB at a time
//   bench_parts infer MODEL FILE BATCH LANES N PRECISION
//                                  ov::InferRequest over N records, one thread a lane; f32 or bf16
//   bench_parts write OUT N        Arrow writes N rows of id, label, score, error
//
// Prints one line of JSON: records or bytes, CPU and wall nanoseconds of the work itself, without
// start-up.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>
#include <openvino/openvino.hpp>

#include "part.h"

namespace {

using armada::bench::Die;
using armada::bench::Stopwatch;

constexpr size_t kRecordBytes = 28 * 28;
constexpr int64_t kIdxHeaderBytes = 16;

void Check(const arrow::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

void Read(const std::vector<std::string>& files) {
  std::vector<char> buffer(1 << 20);
  int64_t bytes = 0;
  const Stopwatch watch;
  for (const std::string& file : files) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) Die("cannot open " + file);
    for (ssize_t n; (n = read(fd, buffer.data(), buffer.size())) > 0;) bytes += n;
    close(fd);
  }
  watch.Print("read", bytes);
}

void Infer(const std::string& model_path, const std::string& idx, int64_t batch, int lanes,
           int64_t records, const std::string& precision) {
  std::ifstream stream(idx, std::ios::binary);
  std::vector<char> digits((std::istreambuf_iterator<char>(stream)),
                           std::istreambuf_iterator<char>());
  const int64_t available =
      (static_cast<int64_t>(digits.size()) - kIdxHeaderBytes) / static_cast<int64_t>(kRecordBytes);
  if (available < batch) Die(idx + " holds fewer records than a batch");

  ov::Core core;
  std::shared_ptr<ov::Model> model = core.read_model(model_path);
  ov::PartialShape shape = model->input().get_partial_shape();
  shape[0] = batch;
  model->reshape(shape);
  ov::preprocess::PrePostProcessor steps(model);
  steps.input().tensor().set_element_type(ov::element::u8);
  steps.input().preprocess().convert_element_type(ov::element::f32).scale(255.0F);
  ov::CompiledModel compiled =
      core.compile_model(steps.build(), "CPU", ov::num_streams(lanes),
                         ov::inference_num_threads(lanes), ov::hint::enable_cpu_pinning(false),
                         ov::hint::inference_precision(ov::element::Type(precision)));
  auto lane = [&](int64_t count, ov::InferRequest request) {
    int64_t at = 0;
    for (int64_t done = 0; done < count; done += batch) {
      if (at + batch > available) at = 0;
      char* first = digits.data() + kIdxHeaderBytes + at * static_cast<int64_t>(kRecordBytes);
      request.set_input_tensor(
          ov::Tensor(compiled.input().get_element_type(), compiled.input().get_shape(), first));
      request.infer();
      at += batch;
    }
  };
  for (int i = 0; i < lanes; ++i) lane(2 * batch, compiled.create_infer_request());  // warm-up

  const Stopwatch watch;
  std::vector<std::thread> threads;
  for (int i = 0; i < lanes; ++i)
    threads.emplace_back(lane, records / lanes, compiled.create_infer_request());
  for (std::thread& thread : threads) thread.join();
  watch.Print("infer", records);
}

void Write(const std::string& path, int64_t rows) {
  constexpr int64_t kGroupRows = 131'072;
  const std::shared_ptr<arrow::Schema> schema = arrow::schema(
      {arrow::field("id", arrow::utf8(), false), arrow::field("label", arrow::int32()),
       arrow::field("score", arrow::float32()), arrow::field("error", arrow::utf8())});
  const auto properties = parquet::WriterProperties::Builder()
                              .compression(arrow::Compression::ZSTD)
                              ->compression_level(1)
                              ->disable_dictionary("id")
                              ->build();
  auto file = arrow::io::FileOutputStream::Open(path);
  Check(file.status());
  const Stopwatch watch;
  auto writer =
      parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), *file, properties);
  Check(writer.status());
  for (int64_t row = 0; row < rows;) {
    arrow::StringBuilder ids;
    arrow::Int32Builder labels;
    arrow::FloatBuilder scores;
    arrow::StringBuilder errors;
    const int64_t end = std::min(rows, row + kGroupRows);
    for (; row < end; ++row) {
      Check(ids.Append("00/train-images-idx3-ubyte#" + std::to_string(row)));
      // A hash of the row: labels and scores as little compressible as real ones.
      const uint64_t hash = static_cast<uint64_t>(row) * 0x9E3779B97F4A7C15ull;
      Check(labels.Append(static_cast<int32_t>((hash >> 60) % 10)));
      Check(scores.Append(1.0F - static_cast<float>(hash >> 40) * 1e-8F));
      Check(errors.AppendNull());
    }
    std::vector<std::shared_ptr<arrow::Array>> columns(4);
    Check(ids.Finish(&columns[0]));
    Check(labels.Finish(&columns[1]));
    Check(scores.Finish(&columns[2]));
    Check(errors.Finish(&columns[3]));
    Check((*writer)->WriteTable(*arrow::Table::Make(schema, columns), kGroupRows));
  }
  Check((*writer)->Close());
  Check((*file)->Close());
  watch.Print("write", rows);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string part = arguments.empty() ? "" : arguments[0];
  if (part == "read" && arguments.size() >= 2) {
    Read({arguments.begin() + 1, arguments.end()});
  } else if (part == "infer" && arguments.size() == 7) {
    Infer(arguments[1], arguments[2], std::stoll(arguments[3]), std::stoi(arguments[4]),
          std::stoll(arguments[5]), arguments[6]);
  } else if (part == "write" && arguments.size() == 3) {
    Write(arguments[1], std::stoll(arguments[2]));
  } else {
    Die("usage: read FILE… | infer MODEL FILE BATCH LANES N PRECISION | write OUT N");
  }
}
