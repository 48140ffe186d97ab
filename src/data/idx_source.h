// IDX files as a source: a record is one entry of the first dimension, its position the row number.
// Gzipped files (told by content) are one shard each. With evaluate_labels, the kept int32 column
// "truth" comes from the labels file beside each images file.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "data/input_files.h"
#include "data/source.h"

namespace armada {

// Checks the first file against the spec. kInvalid when its records, its values or its labels do
// not fit; kNotFound when there is no file of records.
Result<std::unique_ptr<Source>> NewIdxSource(const InputSpec& spec, InputFiles files);

// The labels file that belongs to an images file by its name: the last "images" becomes "labels"
// and "idx<digit>" behind it "idx1". "" when the name says nothing.
std::string LabelsNameFor(const std::string& images_name);

}  // namespace armada
