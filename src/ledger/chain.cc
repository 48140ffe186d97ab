#include "ledger/chain.h"

#include "base/check.h"
#include "ledger/mutant.h"

namespace armada {

using Kind = ChainEvent::Kind;

Chain::Chain(Position begin, Position end) : end_(end), lo_(begin) { CHECK(begin < end); }

ChainAction Chain::Step(const ChainEvent& event) {
  if (event.kind == Kind::kCommit) {
    if (Mutated(Mutant::kBeyondUnsettled) && unsettled()) Settle(hi_);
    CHECK(state_ == State::kOpen);
    CHECK((lo_ < event.hi || Mutated(Mutant::kEmptyCommit)) && event.hi <= end_);
    hi_ = event.hi;
    return Send(false);
  }
  if (event.kind == Kind::kListed) {
    CHECK(state_ == State::kOpen);
    return event.hi > lo_ ? Adopt(event.hi) : ChainAction{};
  }
  const bool stray = event.request != request_;
  if (stray &&
      !(Mutated(Mutant::kStrayReply) && state_ == State::kSending && event.kind == Kind::kCreated))
    return {};

  if (state_ == State::kSending) switch (event.kind) {
      case Kind::kCreated:
        return Settle(hi_);
      case Kind::kExists:
        return Mutated(Mutant::kRefusedIsMine) ? Settle(hi_) : Read(false);
      case Kind::kUnknown:
        return Mutated(Mutant::kTimeoutIsCreated) ? Settle(hi_) : Read(false);
      default:
        return {};
    }
  if (state_ == State::kReading) switch (event.kind) {
      case Kind::kFound:
        if (event.hi == hi_ || (event.mine && Mutated(Mutant::kOwnHi))) return Settle(hi_);
        return Adopt(event.hi);
      case Kind::kAbsent:
        return Mutated(Mutant::kNeverResend) ? Read(true) : Send(true);
      case Kind::kReadFailed:
        return Read(true);
      default:
        return {};
    }
  return {};
}

ChainAction Chain::Send(bool resend) {
  state_ = State::kSending;
  return {ChainAction::Kind::kCreate, ++request_, lo_, hi_, resend};
}

ChainAction Chain::Read(bool again) {
  state_ = State::kReading;
  return {ChainAction::Kind::kRead, ++request_, lo_, hi_, again};
}

ChainAction Chain::Settle(Position hi) {
  state_ = State::kOpen;
  lo_ = hi;
  hi_ = 0;
  ++request_;  // whatever still answers the settled request is late
  return {ChainAction::Kind::kSettled, 0, lo_, 0, false};
}

ChainAction Chain::Adopt(Position hi) {
  const bool valid = lo_ < hi && hi <= end_;
  state_ = valid ? State::kOpen : State::kCorrupt;
  hi_ = 0;
  ++request_;
  if (!valid) return {ChainAction::Kind::kCorrupt, 0, lo_, hi, false};
  lo_ = hi;
  return {ChainAction::Kind::kAdopted, 0, lo_, 0, false};
}

}  // namespace armada
