#include "core/schedule/error_text.h"

#include <cstdint>

namespace interlock::schedule {
namespace {

// The bytes of the UTF-8 character that `text` begins with; 0 if it begins with none. REQUIRES:
// `text` is not empty.
size_t CharacterBytes(absl::string_view text) {
  const auto byte_at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte_at(0);
  if (first < 0x80) return 1;
  // The other first bytes either continue a character or could only begin an overlong form or one
  // beyond U+10FFFF.
  if (first < 0xC2 || first > 0xF4) return 0;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte_at(i) & 0xC0) != 0x80) return 0;
  }
  // The second byte decides the rest: overlong forms, surrogates, and what lies beyond U+10FFFF.
  const uint8_t second = byte_at(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
      (first == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return length;
}

}  // namespace

std::string CleanText(absl::string_view text, size_t bytes_max) {
  std::string clean;
  while (!text.empty()) {
    const size_t length = CharacterBytes(text);
    const absl::string_view next = length == 0 ? absl::string_view("?") : text.substr(0, length);
    if (clean.size() + next.size() > bytes_max) break;
    clean.append(next.data(), next.size());
    text.remove_prefix(next.size());
  }
  return clean;
}

}  // namespace interlock::schedule
