#include "report/predictions.h"

#include "ledger/names.h"

namespace armada {

Result<PredictionFiles> ForEachFile(Job& job,
                                    const std::function<Status(const std::string& key)>& visit) {
  constexpr int kPage = 1000;
  PredictionFiles found;
  std::string after;
  for (;;) {
    ASSIGN_OR_RETURN(const ListPage page, job.store->List("out/", after, kPage));
    for (const ObjectInfo& object : page.objects) {
      after = object.key;
      const std::optional<OutName> name = ParseOutKey(object.key);
      if (!name || name->job_id != job.record.job_id) continue;
      ++found.files;
      found.bytes += object.size_bytes;
      if (visit) RETURN_IF_ERROR(visit(object.key));
    }
    if (!page.more || page.objects.empty()) return found;
  }
}

Result<PredictionFiles> ScanJob(Job& job, const ScanColumns& columns,
                                const std::function<Status(const ScannedRows&)>& visit) {
  return ForEachFile(job, [&](const std::string& key) -> Status {
    ASSIGN_OR_RETURN(const std::string bytes, job.store->Get(key));
    return ScanPredictions(bytes, job.store->name() + "/" + key, columns, visit);
  });
}

std::string_view FileOfId(std::string_view id) {
  const size_t hash = id.rfind('#');
  if (hash == id.npos || hash + 1 == id.size()) return "";
  if (id.find_first_not_of("0123456789", hash + 1) != id.npos) return "";
  return id.substr(0, hash);
}

}  // namespace armada
