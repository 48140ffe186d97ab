// An engine for tests: a fixed function of each record's bytes. It reads no model and opens no
// library.
//
// Its "model" is a JSON file whose name ends in ".fake.json":
//   {"inputs":  [{"name": "image", "type": "u8", "shape": [28, 28]}],  u8 or f32; shapes of one
//   record
//    "outputs": [{"name": "digit", "type": "f32", "shape": [10]}],
//    "fail_every": 3,      each Stream's 3rd, 6th, … Run fails with kInternal (0: none does)
//    "signal": 8,          the first Run raises this signal (0: none)
//    "poison": [{"byte": 7, "does": "die"}]}   a Run with a record whose first byte is that never
//   returns: it raises SIGSEGV ("die"), kills its process group ("die together"), sleeps for ever
//   ("hang") or takes memory without end ("eat")
// Output values are in [0, 1) and depend on the record's bytes and the element's index alone. The
// transform is not applied: the bytes are taken as they are fed.
#pragma once

#include <memory>

#include "engine/engine.h"

namespace armada {

std::unique_ptr<Engine> NewFakeEngine();

}  // namespace armada
