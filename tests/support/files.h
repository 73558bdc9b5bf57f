// Files for tests that need some. Every failure ends the test at once: a test without its files
// proves nothing.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace interlock::support {

// A new empty directory below TEST_TMPDIR, named after the running test and `name`. Called again
// by the same test with the same name it is emptied.
std::string FreshDirectory(const std::string& name);

// The path that FreshDirectory(name) has in the running test, as it is; it need not exist.
std::string TestPath(const std::string& name);

// The names in `dir`, sorted.
std::vector<std::string> ListDirectory(const std::string& dir);
// The names in `dir` that end with `suffix`, sorted.
std::vector<std::string> ListDirectory(const std::string& dir, absl::string_view suffix);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, absl::string_view bytes);
void RemoveFile(const std::string& path);
// Makes `to` a copy of the directory `from` with its files, writable; what was in `to` is removed.
void CopyDirectory(const std::string& from, const std::string& to);

}  // namespace interlock::support
