#include "tests/bench/machine.h"

#include <grpcpp/grpcpp.h>
#include <rocksdb/version.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/check.h"
#include "google/protobuf/stubs/common.h"

namespace interlock::bench {
namespace {

// What stands behind `name` in /proc/cpuinfo, the first time.
std::string ProcessorField(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const size_t colon = line.find(": ");
    if (line.rfind(name, 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string LoadText() {
  std::ifstream file("/proc/loadavg");
  std::string minute;
  return file >> minute ? minute : "unknown";
}

// The mount that holds `directory`, as "DEVICE, TYPE".
std::string DiskText(const std::string& directory) {
  struct stat status;
  INTERLOCK_CHECK(stat(directory.c_str(), &status) == 0);
  const std::string number = absl::StrCat(major(status.st_dev), ":", minor(status.st_dev));
  std::ifstream file("/proc/self/mountinfo");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string word;
    std::string device_number;
    words >> word >> word >> device_number;
    while (word != "-" && words >> word) {
    }
    std::string type;
    std::string device;
    if (device_number == number && words >> type >> device) return absl::StrCat(device, ", ", type);
  }
  return absl::StrCat("device ", number);
}

std::string ProtobufText() {
  return absl::StrFormat("%d.%d.%d", GOOGLE_PROTOBUF_VERSION / 1000000, GOOGLE_PROTOBUF_VERSION / 1000 % 1000,
                         GOOGLE_PROTOBUF_VERSION % 1000);
}

std::string BuildText() {
#ifdef NDEBUG
  return "optimised";
#else
  return "NOT OPTIMISED: these figures say nothing; use bazel run -c opt";
#endif
}

}  // namespace

std::string DescribeRun(int argc, char** argv, const std::string& directory) {
  std::string command(argv[0]);
  command = command.substr(command.rfind('/') + 1);
  for (int i = 1; i < argc; ++i) absl::StrAppend(&command, " ", argv[i]);
  struct utsname system;
  INTERLOCK_CHECK(uname(&system) == 0);
  return absl::StrCat("command    ", command, "\n", "time       ",
                      absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::Now(), absl::UTCTimeZone()), "\n", "processor  ",
                      ProcessorField("model name"), ", family ", ProcessorField("cpu family"), " model ",
                      ProcessorField("model\t"), ", ", std::thread::hardware_concurrency(), " cores\n", "kernel     ",
                      system.sysname, " ", system.release, "\n", "disk       ", DiskText(directory), "\n",
                      "load       ", LoadText(), " in the last minute\n", "build      ", BuildText(), "\n",
                      "versions   gRPC ", grpc::Version(), ", Protobuf ", ProtobufText(), ", RocksDB ", ROCKSDB_MAJOR,
                      ".", ROCKSDB_MINOR, ".", ROCKSDB_PATCH, "\n");
}

}  // namespace interlock::bench
