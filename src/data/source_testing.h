// A folder of input files for tests, and what a source reads from it. Only *_test.cc include this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

#include "data/source.h"
#include "platform/file.h"
#include "platform/process.h"

namespace armada {

inline constexpr int64_t kToTheEnd = std::numeric_limits<int64_t>::max();

class InputFolder {
 public:
  InputFolder()
      : path_(TempFolder() + "/armada-data-" + std::to_string(ProcessId()) + "-" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    EXPECT_TRUE(RemoveTree(path_));
    EXPECT_TRUE(MakeFolders(path_));
  }
  ~InputFolder() { EXPECT_TRUE(RemoveTree(path_)); }

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  // Returns the file's path.
  std::string Write(const std::string& name, const std::string& bytes) const {
    const std::string path = path_ + "/" + name;
    EXPECT_TRUE(MakeFolders(path.substr(0, path.rfind('/'))));
    EXPECT_TRUE(ReplaceFile(path, bytes));
    return path;
  }

 private:
  std::string path_;
};

inline std::string Gzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// A PNG of one colour: width × height pixels of RGB.
inline std::string Png(int width, int height, const std::string& rgb) {
  const auto big_endian = [](uint32_t n) {
    return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16),
                       static_cast<char>(n >> 8), static_cast<char>(n)};
  };
  const auto chunk = [&](const std::string& type, const std::string& data) {
    const std::string body = type + data;
    const uLong crc =
        crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    return big_endian(static_cast<uint32_t>(data.size())) + body +
           big_endian(static_cast<uint32_t>(crc));
  };
  std::string row(1, '\0');  // no filter
  for (int x = 0; x < width; ++x) row += rgb;
  std::string rows;
  for (int y = 0; y < height; ++y) rows += row;
  uLongf size = compressBound(rows.size());
  std::string packed(size, '\0');
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(rows.data()), rows.size()),
            Z_OK);
  packed.resize(size);
  std::string header(13, '\0');
  header[3] = static_cast<char>(width);
  header[7] = static_cast<char>(height);
  header[8] = 8;  // bits
  header[9] = 2;  // RGB
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", header) + chunk("IDAT", packed) + chunk("IEND", "");
}

// The files that a source lists: "path rows", with "!" for one that is a single shard.
inline std::vector<std::string> ListedFiles(Source& source, const std::string& after = "",
                                            int64_t* skipped = nullptr) {
  std::vector<std::string> lines;
  int64_t others = 0;
  const Status status = source.List(after, &others, [&](const SourceFile& file) -> Status {
    lines.push_back(file.path + " " + std::to_string(file.rows) + (file.splittable ? "" : "!"));
    return {};
  });
  EXPECT_TRUE(status) << status.error().ToString();
  if (skipped != nullptr) *skipped = others;
  return lines;
}

// Opens rows [from, end) of the input's file `path`, as it is now.
inline Result<std::unique_ptr<ShardReader>> OpenShard(Source& source, const std::string& folder,
                                                      const std::string& path, int64_t from = 0,
                                                      int64_t end = kToTheEnd) {
  ASSIGN_OR_RETURN(const FileStamp stamp, StampFile(folder + "/" + path));
  return source.Open({.path = path, .stamp = stamp, .begin = 0, .end = end}, from);
}

// All batches of a reader, or the error that it ended with.
inline Result<std::vector<Batch>> ReadAll(ShardReader& reader, int64_t max_rows) {
  std::vector<Batch> batches;
  while (true) {
    ASSIGN_OR_RETURN(Batch batch, reader.Next(max_rows));
    if (batch.rows == 0) return batches;
    batches.push_back(std::move(batch));
  }
}

// The values of a batch: "1 2 3 | 4 5 6" for two records of three.
template <class T>
std::string Values(const Batch& batch, int64_t elements) {
  std::string text;
  const T* values = reinterpret_cast<const T*>(batch.features);
  for (int64_t i = 0; i < batch.rows * elements; ++i)
    text += (i == 0 ? "" : i % elements == 0 ? " | " : " ") + fmt::format("{}", values[i]);
  return text;
}

inline std::string ErrorOf(const Status& status) { return status ? "" : status.error().ToString(); }
template <class T>
std::string ErrorOf(const Result<T>& result) {
  return result ? "" : result.error().ToString();
}

}  // namespace armada
