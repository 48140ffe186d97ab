#include "ledger/chain_audit.h"

#include <fmt/format.h>

namespace armada {

ChainVerdict AuditChain(Position begin, Position end, std::span<const ChainLink> links) {
  Position reached = begin;
  for (const ChainLink& link : links) {
    if (link.lo > reached)
      return {ChainVerdict::Kind::kBroken, reached,
              fmt::format("positions {} to {} are missing before the object at {}", reached,
                          link.lo, link.lo)};
    if (link.lo < reached)
      return {ChainVerdict::Kind::kBroken, reached,
              fmt::format("the object at {} overlaps the one that ends at {}", link.lo, reached)};
    if (link.hi <= link.lo || link.hi > end)
      return {ChainVerdict::Kind::kBroken, reached,
              fmt::format("the object at {} says that it ends at {}, the shard at {}", link.lo,
                          link.hi, end)};
    reached = link.hi;
  }
  return {reached == end ? ChainVerdict::Kind::kComplete : ChainVerdict::Kind::kOpen, reached, {}};
}

}  // namespace armada
