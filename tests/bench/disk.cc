#include "tests/bench/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/check.h"

namespace interlock::bench {
namespace {

constexpr size_t kAppendBytes = 512;
// In a line of /proc/diskstats, counted from 0 with the device's number, minor number and name.
constexpr size_t kFlushesField = 18;

}  // namespace

Latencies MeasureAppends(const std::string& directory, int count) {
  const std::string path = absl::StrCat(directory, "/append.probe");
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  INTERLOCK_CHECK(fd >= 0);
  std::array<char, kAppendBytes> bytes;
  bytes.fill('x');
  Latencies latencies;
  absl::Time now = absl::Now();
  for (int i = 0; i < count; ++i) {
    INTERLOCK_CHECK(write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    INTERLOCK_CHECK(fdatasync(fd) == 0);
    const absl::Time done = absl::Now();
    latencies.Add(done - now);
    now = done;
  }
  close(fd);
  unlink(path.c_str());
  return latencies;
}

int64_t CountFlushes(const std::string& directory) {
  struct stat status;
  INTERLOCK_CHECK(stat(directory.c_str(), &status) == 0);
  std::ifstream file("/proc/diskstats");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; words >> word;) fields.push_back(word);
    if (fields.size() <= kFlushesField) continue;
    if (fields[0] != absl::StrCat(major(status.st_dev)) || fields[1] != absl::StrCat(minor(status.st_dev))) continue;
    return std::stoll(fields[kFlushesField]);
  }
  return -1;
}

}  // namespace interlock::bench
