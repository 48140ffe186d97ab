// Tar archives for tests, written byte by byte, so that they can be wrong in every way. Only
// *_test.cc include this.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <archive.h>
#include <archive_entry.h>

#include "data/tar_file.h"

namespace armada {

inline std::string PaddedTo512(std::string bytes) {
  bytes.resize((bytes.size() + 511) / 512 * 512);
  return bytes;
}

// Where the fields of a ustar header are.
enum TarField : uint16_t {
  kTarMode = 100,
  kTarSize = 124,
  kTarSum = 148,
  kTarType = 156,
  kTarLink = 157,
  kTarMagic = 257,
  kTarPrefix = 345
};

inline void Put(std::string* header, size_t at, std::string_view bytes) {
  header->replace(at, bytes.size(), bytes);
}

// One block. `change` may do anything to it before the checksum is computed.
inline std::string TarHeader(std::string_view name, size_t size, char type = '0',
                             const std::function<void(std::string*)>& change = nullptr) {
  std::string header(512, '\0');
  Put(&header, 0, name.substr(0, 100));
  Put(&header, kTarMode, "0000644");
  Put(&header, kTarSize, fmt::format("{:011o}", size));
  Put(&header, kTarSum, "        ");
  header[kTarType] = type;
  Put(&header, kTarMagic, std::string_view("ustar\00000", 8));
  if (change) change(&header);
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<uint8_t>(c);
  Put(&header, kTarSum, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header;
}

inline std::string TarMember(std::string_view name, const std::string& content, char type = '0') {
  return TarHeader(name, content.size(), type) + PaddedTo512(content);
}

// A pax header for the member that follows.
inline std::string Pax(const std::vector<std::pair<std::string, std::string>>& records) {
  std::string body;
  for (const auto& [key, value] : records) {
    const size_t rest = key.size() + value.size() + 3;
    size_t size = rest + 1;
    while (std::to_string(size).size() + rest != size) ++size;
    body += fmt::format("{} {}={}\n", size, key, value);
  }
  return TarMember("PaxHeader/x", body, 'x');
}

// GNU's: a long name for the member that follows.
inline std::string LongName(const std::string& name) {
  return TarMember("././@LongLink", name + '\0', 'L');
}

inline std::string TarEnd() { return std::string(1024, '\0'); }

// What begins like a picture; only its bytes count here.
inline std::string Jpeg(const std::string& rest) { return "\xFF\xD8\xFF\xE0" + rest; }
inline std::string Png(const std::string& rest) { return "\x89PNG\r\n\x1A\n" + rest; }
inline std::string Webp(const std::string& rest) {
  return std::string("RIFF\x10\0\0\0WEBPVP8 ", 16) + rest;
}

inline std::string ZstdOf(const std::string& bytes) {
  std::string out(bytes.size() + (64 << 10), '\0');
  size_t used = 0;
  archive* writer = archive_write_new();
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_pathname(entry, "data");
  EXPECT_EQ(archive_write_add_filter_zstd(writer), ARCHIVE_OK);
  EXPECT_EQ(archive_write_set_format_raw(writer), ARCHIVE_OK);
  archive_write_set_bytes_in_last_block(writer, 1);
  EXPECT_EQ(archive_write_open_memory(writer, out.data(), out.size(), &used), ARCHIVE_OK);
  EXPECT_EQ(archive_write_header(writer, entry), ARCHIVE_OK);
  EXPECT_EQ(archive_write_data(writer, bytes.data(), bytes.size()),
            static_cast<la_ssize_t>(bytes.size()));
  EXPECT_EQ(archive_write_close(writer), ARCHIVE_OK);
  archive_entry_free(entry);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

// "0001.jpg 12 {cls=7, json={}}", with "! why" behind it for a fault.
inline std::string Line(const TarSample& sample) {
  std::string fields;
  for (const auto& [key, value] : sample.fields)
    fields += fmt::format("{}{}={}", fields.empty() ? "" : ", ", key, value);
  std::string line = fmt::format("{} {}", sample.name, sample.bytes.size());
  if (!fields.empty()) line += " {" + fields + "}";
  if (!sample.fault.empty()) line += " ! " + sample.fault;
  return line;
}

struct TarContent {
  std::vector<TarSample> samples;
  std::string error;  // what reading ended with; "" at the archive's end

  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const TarSample& sample : samples) lines.push_back(Line(sample));
    if (!error.empty()) lines.push_back("error: " + error);
    return lines;
  }
};

// All from `from` on. Errors without the path's folder.
inline TarContent ReadTar(const std::string& path, int64_t from = 0, const TarLimits& limits = {}) {
  TarContent content;
  const auto ended = [&](const Error& error) {
    EXPECT_NE(error.code, ErrorCode::kInternal);
    content.error = error.message.substr(std::min(path.rfind('/') + 1, error.message.size()));
    return content;
  };
  auto file = TarFile::Open(path, from, limits);
  if (!file) return ended(file.error());
  TarSample sample;
  while (true) {
    auto more = (*file)->Next(&sample);
    if (!more) return ended(more.error());
    if (!*more) return content;
    EXPECT_LT(sample.begin, sample.end);
    content.samples.push_back(std::move(sample));
  }
}

}  // namespace armada
