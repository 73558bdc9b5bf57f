// Identifiers shown to callers: "lock-12" and so on. They come from one counter that is stored with the engine's state,
// so they are never reused. They are names, not secrets.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace interlock {

// "kind-number".
std::string MakeId(absl::string_view kind, int64_t number);
// The number in "kind-12"; -1 if `id` is not exactly of this form.
int64_t IdNumber(absl::string_view kind, absl::string_view id);

// Hands out 1, 2, 3 and so on.
class IdCounter {
 public:
  explicit IdCounter(int64_t last = 0) : last_(last) {}
  int64_t Next() { return ++last_; }
  int64_t last() const { return last_; }

 private:
  int64_t last_;
};

}  // namespace interlock
