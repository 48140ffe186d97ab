// Tar files as a source (TarFile): a record is a WebDataset sample, its id the archive's path below
// the input's root, '/', and the picture's member name. A file is one shard; positions are offsets
// in the (uncompressed) archive. Members beside the picture can be kept: output.keep: [cls, json].
#pragma once

#include <memory>

#include "base/result.h"
#include "data/input_files.h"
#include "data/source.h"

namespace armada {

// kNotFound when there is no tar file with a sample in it; kInvalid when spec asks for what a tar
// has not.
Result<std::unique_ptr<Source>> NewTarSource(const InputSpec& spec, InputFiles files);

}  // namespace armada
