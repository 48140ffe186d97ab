// What a process may use: memory, core dumps. Of the calling process. For children whose work may
// go wrong, which call it before threads start; but for ReturnFreeMemory.
#pragma once

#include <cstdint>

namespace armada {

// Private writable memory of this process, touched or not: what LimitDataBytes counts.
int64_t DataBytes();

// No more than so many bytes (RLIMIT_DATA), or than the system allows anyway, when that is less.
// Returns the limit that holds.
int64_t LimitDataBytes(int64_t bytes);

// From now on, memory that operator new can't get ends the process with this exit code at once.
void EndWhenOutOfMemory(int exit_code);

void ForbidCoreDumps();

// What was freed, and is kept for reuse, goes back to the system.
void ReturnFreeMemory();

// For a child in a terminal's foreground: Ctrl-C is its parent's business.
void IgnoreStopSignals();

}  // namespace armada
