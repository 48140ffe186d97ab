// The schema of every out/ file of a job, frozen in job.json at submit.
//
//   id      utf8 not null
//   <kept>  the kept input columns, with their input types
//   label   int32 (utf8 when the job names its labels), score float     with top_k = 1
//   labels  list<int32 or utf8>, scores list<float>, best first         with top_k > 1
//   <name>  float, or list<float> of that many elements, one a model output   with top_k = 0
//   error   utf8: why the record is dead; then the predictions are null
//
// A plain value.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace armada {

struct OutputSchema {
  struct Kept {
    std::string name;
    std::string type;  // as Arrow prints it: "int32", "string", …
  };
  struct ModelOutput {
    std::string name;
    int64_t elements = 1;
  };
  std::vector<Kept> kept;
  int top_k = 0;
  bool softmax = false;                  // applied before top_k
  std::vector<std::string> label_names;  // empty: class numbers
  std::vector<ModelOutput> outputs;  // the model's, in its order; what is written when top_k == 0

  std::vector<std::string> ColumnNames() const;  // in the files' order
  Status Check() const;                          // kInvalid when two columns have one name
  Json ToJson() const;
  // kCorrupt, naming the key.
  static Result<OutputSchema> FromJson(const Json& json);
};

}  // namespace armada
