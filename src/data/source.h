// Sources: what is read. A source lists an input's files for the plan, and reads one shard of a
// file for the lanes.
//
// One Source a job and process, thread-safe. A ShardReader belongs to one open shard: Next() is
// called in order by one lane at a time; what it returns is self-contained, so the rest runs in
// parallel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/batch.h"
#include "data/element.h"
#include "data/picture.h"
#include "platform/file.h"

namespace armada {

// What a job wants of its input; the ledger fills it from job.json.
struct InputSpec {
  std::string uri;     // folder, file, glob or manifest; local
  std::string format;  // auto | idx | parquet | images | tar
  std::string id;      // "" = uri#position, or a column's name
  std::vector<std::string>
      columns;  // parquet: the feature columns in the model's order; empty: all numeric
  std::vector<std::string> keep;  // input columns carried into the output
  std::string evaluate_labels;    // idx: "auto" (…-images-idx3… → …-labels-idx1…) or a file; adds
                                  // kept "truth"
  std::vector<int64_t> record_shape;        // of the model's input, without the batch dimension
  ElementType element = ElementType::kF32;  // what the lanes want: kU8 or kF32
  // Where records are pictures: what a lane makes of their bytes.
  std::optional<PictureSpec> picture;
  std::string column;  // parquet: the column of pictures
};

// The stamp of a file that a manifest names and that was not there when it was planned.
inline FileStamp AbsentFile() { return {.size_bytes = -1}; }
inline bool IsAbsent(const FileStamp& stamp) { return stamp.size_bytes < 0; }

// A file that is one record, as the plan pins it.
struct PinnedFile {
  std::string path;  // below the input's root
  FileStamp stamp;
  bool operator==(const PinnedFile&) const = default;
};

// A file of the input as the plan pins it.
struct SourceFile {
  std::string path;        // below the input's root, '/'-separated: what ids are made of
  std::string key;         // where the listing goes on behind it; listings are in the order of keys
  FileStamp stamp;         // AbsentFile(): it is listed, and not there
  int64_t rows = 0;        // INT64_MAX: not known before it is read (gz)
  bool splittable = true;  // false: one shard (gz)
  bool is_record = false;  // one record: many such files make a shard
};

// A shard as a source sees it: positions [begin, end) of one file; end = INT64_MAX: to the end of
// the file. Or a run of files that are one record each: positions [0, files.size()) of that list,
// path and stamp those of the first.
struct ShardInput {
  std::string path;
  FileStamp stamp;
  int64_t begin = 0;
  int64_t end = 0;
  std::vector<PinnedFile> files;  // empty: not a run
};

class ShardReader {
 public:
  virtual ~ShardReader() = default;
  // The next 1..max_rows records; rows == 0 at the shard's end, with lo == hi == where it ended.
  // An error is an environment fault: kUnavailable may be retried, others stop the job. A fault of
  // one record is in Batch::faults.
  virtual Result<Batch> Next(int64_t max_rows) = 0;
};

class Source {
 public:
  virtual ~Source() = default;

  // Visits the input's files in byte order of their keys, beginning after `after` ("" = all).
  // Files that are no input (labels, other formats) are counted in *skipped. Stops at visit's first
  // error.
  virtual Status List(const std::string& after, int64_t* skipped,
                      const std::function<Status(const SourceFile&)>& visit) = 0;

  // Opens [from, shard.end) of the shard. from is a record's start in [begin, end].
  // kInvalid when the file is not the one planned: "changed since it was planned".
  virtual Result<std::unique_ptr<ShardReader>> Open(const ShardInput& shard, int64_t from) = 0;

  // The kept columns' names and types, in order, from the first file. For OutputSchema.
  virtual Result<std::vector<std::pair<std::string, std::string>>> KeptColumns() = 0;
};

// Finds out the format (by content, when auto), checks that the first file's records fit the spec,
// and fills what spec left open (format, columns). kInvalid, kNotFound name the file and what to
// do.
Result<std::unique_ptr<Source>> OpenSource(InputSpec* spec);

// What an input is, without a model to hold it against.
struct InputLook {
  std::string format;          // of the first file that has one
  std::string picture_column;  // parquet: its only column of bytes; "" when there is none
};
Result<InputLook> LookAtInput(const std::string& uri);

}  // namespace armada
