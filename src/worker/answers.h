// From a model's output tensors to the answers that a job writes: softmax, the best k, or the
// tensors as they are. Pure functions of their arguments.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "data/batch.h"
#include "data/output_schema.h"
#include "engine/engine.h"

namespace armada {

// Which of the model's outputs the schema's are, by name. kInvalid when one is missing.
Result<std::vector<size_t>> MatchOutputs(const OutputSchema& schema, const Signature& signature);

// Fills block->labels and scores, or outputs, for block->rows records. tensors[i]: rows × elements
// of the schema's output i. Ties go to the lower class number; NaN counts as lower than everything.
void FillAnswers(const OutputSchema& schema, std::span<const std::span<const float>> tensors,
                 ResultBlock* block);

}  // namespace armada
