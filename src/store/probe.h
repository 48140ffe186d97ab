// The probe: does this store keep the promise that Armada rests on?
#pragma once

#include <string>

#include "store/object_store.h"

namespace armada {

struct ProbeResult {
  bool ok = false;
  std::string failure;  // which promise was broken, in words; empty when ok
  int races = 0;        // rounds raced
};

// Creates a key twice (the second must be refused and the body unchanged), races 32 creates at once
// 5 times (exactly one wins each, and its bytes are what is read), and lists what it made at once,
// below "probe/<nonce>/". Removes what it made. An error is the store being out of reach; a broken
// promise is !ok.
Result<ProbeResult> ProbeStore(ObjectStore& store, std::string_view nonce);

}  // namespace armada
