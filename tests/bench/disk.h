// What the disk itself can do, measured beside the server.
#pragma once

#include <cstdint>
#include <string>

#include "tests/bench/latencies.h"

namespace interlock::bench {

// Appends 512 bytes to a new file in `directory` and waits for fdatasync, `count` times; the file is removed. Answers
// how long each append with its sync took. A file that cannot be written ends the program.
Latencies MeasureAppends(const std::string& directory, int count);

// How often the device that holds `directory` was told to make durable what it holds, since the machine started, by
// whomever; -1 if the kernel does not tell.
int64_t CountFlushes(const std::string& directory);

}  // namespace interlock::bench
