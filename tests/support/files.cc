#include "tests/support/files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/check.h"
#include "gtest/gtest.h"

namespace interlock::support {

std::string TestPath(const std::string& name) {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  INTERLOCK_CHECK(test != nullptr);
  const std::string test_name = absl::StrCat(test->test_suite_name(), ".", test->name(), ".", name);
  return absl::StrCat(testing::TempDir(), "/", absl::StrReplaceAll(test_name, {{"/", "_"}}));
}

std::string FreshDirectory(const std::string& name) {
  const std::string path = TestPath(name);
  std::filesystem::remove_all(path);
  INTERLOCK_CHECK(std::filesystem::create_directories(path));
  return path;
}

std::vector<std::string> ListDirectory(const std::string& dir) { return ListDirectory(dir, ""); }

std::vector<std::string> ListDirectory(const std::string& dir, absl::string_view suffix) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    const std::string name = entry.path().filename().string();
    if (absl::EndsWith(name, suffix)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  INTERLOCK_CHECK(file.is_open());
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void WriteFile(const std::string& path, absl::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  INTERLOCK_CHECK(file.good());
}

void RemoveFile(const std::string& path) { INTERLOCK_CHECK(std::filesystem::remove(path)); }

void CopyDirectory(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  INTERLOCK_CHECK(std::filesystem::create_directories(to));
  for (const std::string& name : ListDirectory(from)) {
    WriteFile(absl::StrCat(to, "/", name), ReadFile(absl::StrCat(from, "/", name)));
  }
}

}  // namespace interlock::support
