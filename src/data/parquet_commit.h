// A commit's data object: one Parquet file whose footer carries the commit's facts
// (docs/formats.md). Free functions, thread-safe. Arrow stays behind this door.
//
// Columns: OutputSchema's. Row groups of 131,072 rows, zstd. The footer's key-value metadata holds
//   armada.job, armada.attempt   text, as given
//   armada.shard, .lo, .hi, .rows, .dead   decimal digits, without sign
//   armada.last      "1" when hi is the shard's end, else "0"
//   armada.sha256    64 lower-case hexadecimal digits, of all bytes before the footer
// and Arrow's own "ARROW:schema". The same blocks and facts give the same bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "data/batch.h"
#include "data/output_schema.h"

namespace armada {

// What the footer's key-value metadata says, under "armada.*".
struct CommitFacts {
  std::string job_id;
  int64_t shard = 0;
  int64_t lo = 0;
  int64_t hi = 0;
  bool last = false;  // hi is the shard's end
  int64_t rows = 0;
  int64_t dead = 0;
  std::string attempt_id;
  std::string sha256;  // of the bytes before the footer
};

struct EncodedCommit {
  std::string bytes;
  CommitFacts facts;
};

// Encodes the rows of `blocks` whose positions are in [facts.lo, facts.hi). Fills rows, dead,
// sha256. uri: the path that ids are made of. Texts that are no UTF-8 are written as Printable()
// shows them. kInvalid when a class has no label name, or a kept column not its planned type.
// REQUIRES: lo < hi; blocks are in position order and cover [lo, hi); their vectors are as long as
// the schema says.
Result<EncodedCommit> EncodeCommit(const OutputSchema& schema, const std::string& uri,
                                   CommitFacts facts, std::span<const ResultBlock* const> blocks);

// How many bytes from the end of a commit usually hold its footer: what readers ask for first.
inline constexpr int64_t kFooterGuessBytes = 16 << 10;

// Reads the facts from an object's last bytes. When `suffix` is too short for the footer: kLimit,
// and *needed_bytes says how long a suffix is. kCorrupt when it is no commit of Armada's.
Result<CommitFacts> ReadCommitFacts(std::string_view suffix, int64_t object_bytes,
                                    int64_t* needed_bytes);

}  // namespace armada
