// Loose picture files as a source: a record is a file, its id the path below the input's root.
//
// A file whose name ends as other things do (.txt, .json, …) is no record; whatever else is there
// is one, and what is no picture after all becomes a dead record that says what it is. Shards are
// runs of files. A file that changed or vanished since it was planned is a dead record too
// (input_changed, input_missing): it can't be predicted as it was planned.
#pragma once

#include <memory>

#include "base/result.h"
#include "data/input_files.h"
#include "data/source.h"

namespace armada {

// kNotFound when there is no file that could be a picture; kInvalid when spec asks for columns.
Result<std::unique_ptr<Source>> NewImagesSource(const InputSpec& spec, InputFiles files);

// Whether a file of this name is passed over: its extension is that of text, data or programs.
bool IsNoPictureName(std::string_view path);

}  // namespace armada
