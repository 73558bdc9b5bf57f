#include "tests/simulation/trace.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace interlock::simulation {

void Trace::AddBytes(absl::string_view bytes) {
  for (const char byte : bytes) {
    hash_ ^= static_cast<unsigned char>(byte);
    hash_ *= 0x100000001b3u;
  }
}

void Trace::AddLine(absl::string_view text) {
  const int64_t micros = absl::ToUnixMicros(timeline_.now()) % (int64_t{1'000'000} * 1'000'000);
  std::string line = absl::StrCat(micros, " ", text);
  AddBytes(line);
  if (print_) std::printf("%s\n", line.c_str());
  if (lines_.size() == kLinesKept) lines_.pop_front();
  lines_.push_back(std::move(line));
}

void Trace::FailWith(absl::string_view checker, std::string text) {
  AddLine(absl::StrCat("VIOLATION ", checker, ": ", text));
  if (failed()) return;
  violation_ = {std::string(checker), std::move(text)};
}

}  // namespace interlock::simulation
