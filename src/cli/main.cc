#include "cli/command.h"

int main(int argc, char** argv) { return armada::RunCommandLine(argc, argv); }
