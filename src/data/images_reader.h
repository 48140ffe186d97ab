// Reads a run of loose pictures. On a disk a lane reads a file when it decodes it; from a bucket,
// where an answer takes long and many come at once, files are asked for before lanes want them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/input_files.h"
#include "data/source.h"

namespace armada {

inline constexpr int64_t kMaxPictureBytes = int64_t{256} << 20;

// Files [from, files->size()) of the run. `root` must outlive the reader and its batches.
std::unique_ptr<ShardReader> NewImagesReader(const InputFiles& root,
                                             std::shared_ptr<const std::vector<PinnedFile>> files,
                                             int64_t from);

}  // namespace armada
