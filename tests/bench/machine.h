// What a measurement was made on: figures mean nothing without it.
#pragma once

#include <string>

namespace interlock::bench {

// Lines that tell the command, the processor, its cores, the kernel, the file system and device of `directory`, the
// load of the machine just now, how this program was built, and the versions of gRPC, Protobuf and RocksDB.
std::string DescribeRun(int argc, char** argv, const std::string& directory);

}  // namespace interlock::bench
