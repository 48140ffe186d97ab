#include "report/merge_output.h"

#include "data/parquet_merge.h"
#include "ledger/names.h"
#include "ledger/plan.h"
#include "ledger/settle.h"

namespace armada {

Result<int64_t> MergeOutput(Job& job, const std::string& path) {
  constexpr int kPageObjects = 1000;
  ASSIGN_OR_RETURN(const auto plan, Plan::Open(*job.store, job.record.job_id));
  ASSIGN_OR_RETURN(const auto merger, ParquetMerger::Create(path));
  for (int64_t group = 0; group < plan->groups(); ++group) {
    std::string last;
    for (;;) {
      // Keys sort as shards and positions do.
      ASSIGN_OR_RETURN(const ListPage page,
                       job.store->List(OutJobPrefix(group, job.record.job_id), last, kPageObjects));
      for (const ObjectInfo& object : page.objects) {
        ASSIGN_OR_RETURN(const std::string bytes, GetPatiently(*job.store, object.key));
        RETURN_IF_ERROR(merger->Append(bytes, job.store->name() + "/" + object.key));
        last = object.key;
      }
      if (!page.more || page.objects.empty()) break;
    }
  }
  RETURN_IF_ERROR(merger->Finish());
  return merger->rows();
}

}  // namespace armada
