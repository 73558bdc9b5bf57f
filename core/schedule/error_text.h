// Makes the texts of executors fit to be kept: they come from other people's services and may hold
// anything.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace interlock::schedule {

// The longest beginning of `text` of at most `bytes_max` bytes that ends with a whole character,
// with every byte that is not part of valid UTF-8 replaced by '?': a protobuf string with other
// bytes could be written but never read again.
std::string CleanText(absl::string_view text, size_t bytes_max);

}  // namespace interlock::schedule
