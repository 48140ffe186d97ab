// What the commands print: results to stdout, all else to stderr, colours only on a terminal that
// wants them. Not thread-safe: the main thread prints.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace armada {

// Whether ANSI colours go to this descriptor: a terminal, not TERM=dumb, NO_COLOR unset or empty.
bool ColorsOn(int fd);

// Whether the cursor can be moved there: a terminal, not TERM=dumb.
bool MovesCursor(int fd);

void Print(std::string_view text);     // to stdout, as it is
void PrintJson(const Json& json);      // to stdout, indented
void PrintJsonLine(const Json& json);  // to stdout, in one line, at once
void Note(std::string_view text);      // a line to stderr

// "error: message" and the remedy, to stderr; with json, {"error": …} to stdout too. Returns the
// exit code.
int Failed(const Error& error, bool json = false);

// Flushes stdout. False when something that was printed could not be written.
bool FlushStdout();

}  // namespace armada
