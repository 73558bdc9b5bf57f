// Writes the fixture of a format:
//
//   bazel run //storage/testing:make_fixture -- ROWS DIRECTORY
//
// with absolute paths: the list of rows and the new directory. Prints the size of what it wrote. To be run once for
// each format; the directory is then kept in the tree as it is.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "storage/testing/fixture.h"

namespace interlock::storage {
namespace {

// RocksDB's text logs and the settings it was opened with hold paths and say nothing about the rows.
bool IsNeeded(const std::string& name) {
  return name != "LOCK" && !absl::StartsWith(name, "LOG") && !absl::StartsWith(name, "OPTIONS");
}

// Removes what is not needed and adds up the rest.
uint64_t Tidy(const std::string& dir) {
  uint64_t bytes = 0;
  std::vector<std::filesystem::path> unneeded;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (IsNeeded(entry.path().filename().string())) {
      bytes += entry.file_size();
    } else {
      unneeded.push_back(entry.path());
    }
  }
  for (const std::filesystem::path& path : unneeded) std::filesystem::remove(path);
  return bytes;
}

int Run(const std::string& rows_path, const std::string& dir) {
  if (std::filesystem::exists(dir)) {
    std::fprintf(stderr, "%s exists: choose a new directory\n", dir.c_str());
    return 1;
  }
  const auto rows = ReadFixtureRows(rows_path);
  const absl::Status status = rows.ok() ? WriteFixture(*rows, dir) : rows.status();
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  std::printf("%s: %zu rows in %lu bytes\n", dir.c_str(), rows->size(), static_cast<unsigned long>(Tidy(dir)));
  return 0;
}

}  // namespace
}  // namespace interlock::storage

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: make_fixture ROWS DIRECTORY\n");
    return 2;
  }
  return interlock::storage::Run(argv[1], argv[2]);
}
