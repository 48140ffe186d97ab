// Parquet files as a source: a record is a row, its position the row number.
//
// Features: numeric columns (booleans, integers, floats) in the model's order, or one list column
// of them; fed as f32. A row with a null feature, or a list of another length, is a dead record. An
// id column of any scalar type is written as text; where it is null, the id is uri#position.
//
// A shard that begins inside a row group decodes that group's rows before it and drops them.
#pragma once

#include <memory>

#include "base/result.h"
#include "data/input_files.h"
#include "data/source.h"

namespace armada {

// Chooses the columns in the first file, and names them in spec->columns. kInvalid when they do not
// fit; kNotFound when there is no Parquet file.
Result<std::unique_ptr<Source>> NewParquetSource(InputSpec* spec, InputFiles files);

// The only column of the first file that can hold pictures; "" when there is none, or several.
Result<std::string> OnlyPictureColumn(const std::string& uri, const InputFiles& files);

}  // namespace armada
