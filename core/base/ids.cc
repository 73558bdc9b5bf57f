#include "core/base/ids.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace interlock {

std::string MakeId(absl::string_view kind, int64_t number) { return absl::StrCat(kind, "-", number); }

int64_t IdNumber(absl::string_view kind, absl::string_view id) {
  int64_t number = -1;
  if (!absl::StartsWith(id, kind) || id.size() <= kind.size() || id[kind.size()] != '-') return -1;
  const absl::string_view digits = id.substr(kind.size() + 1);
  if (!absl::SimpleAtoi(digits, &number) || number < 0 || absl::StrCat(number) != digits) return -1;
  return number;
}

}  // namespace interlock
