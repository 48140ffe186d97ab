// Arrow's Status and types at Armada's door: Status becomes Error, a kept column's type goes to
// job.json as text and comes back. Free functions, thread-safe. Only data/arrow_* and
// data/parquet_* include this.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type.h>

#include "base/result.h"

namespace armada {

// kLimit for memory, `otherwise` for the rest; "where: what Arrow says". (Arrow calls damaged data
// an IOError too: whoever feeds it a file knows better.)
std::unexpected<Error> ArrowFailure(const arrow::Status& status, std::string_view where,
                                    ErrorCode otherwise);

// The type that prints as `text`: bool, integers, floats, text, binary, dates, times, timestamps
// and decimals. kInvalid for others: those columns can't be kept.
Result<std::shared_ptr<arrow::DataType>> ParseArrowType(const std::string& text);

bool IsUtf8(std::string_view text);

// `text` itself when it is UTF-8, else its printable form: Parquet's text columns hold UTF-8 only.
std::string ToUtf8(std::string_view text);

}  // namespace armada
