// From a job file's preprocess keys and a model's signature to what lanes do with pictures.
// Internal to ledger/. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "data/source.h"
#include "engine/engine.h"
#include "ledger/job_spec.h"

namespace armada {

// Whether the records of a source that was opened for `input` are pictures.
bool ArePictures(const InputSpec& input);

// Fills input->picture and element, and transform->planes and fed. kInvalid, naming the key to set,
// when the model takes no pictures, its layout is not clear, or color or size are not what it
// takes. REQUIRES ArePictures(*input).
Status ResolvePicture(const JobSpec& spec, const Signature& signature, InputSpec* input,
                      InputTransform* transform);

// kInvalid when keys that are for pictures were set though records are none.
Status CheckNoPictureKeys(const JobSpec& spec);

// The shape of a model's record with its open height and width taken from preprocess.size. kInvalid
// when that is needed and not set, or where it is not clear which dimensions they are.
Result<std::vector<int64_t>> FilledShape(const JobSpec& spec, const TensorSpec& input);

}  // namespace armada
