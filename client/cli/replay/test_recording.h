// Writes small recordings. For tests.
#pragma once

#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "core/base/check.h"

namespace interlock::cli {

inline std::string TestPath(const std::string& name) { return std::string(std::getenv("TEST_TMPDIR")) + "/" + name; }

// The path of a file with `text`, gzipped.
inline std::string WriteGzip(const std::string& name, const std::string& text) {
  const std::string path = TestPath(name);
  gzFile file = gzopen(path.c_str(), "wb");
  INTERLOCK_CHECK(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
  INTERLOCK_CHECK(gzclose(file) == Z_OK);
  return path;
}

// The path of a file with `text` as it is.
inline std::string WritePlain(const std::string& name, const std::string& text) {
  const std::string path = TestPath(name);
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

// A line of a recording. `actions` is JSON.
inline std::string RunLine(const std::string& agent, const std::string& actions, bool utility = true,
                           const std::string& mode = "benign") {
  return "{\"agent\":\"" + agent + "\",\"mode\":\"" + mode + "\",\"utility\":" + (utility ? "true" : "false") +
         ",\"duration_s\":10,\"n_turns\":2,\"tool_errors\":0,\"actions\":" + actions + "}\n";
}

}  // namespace interlock::cli
