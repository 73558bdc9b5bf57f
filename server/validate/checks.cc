#include "server/validate/checks.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/time.h"

namespace interlock::server {
namespace {

// The length of the UTF-8 sequence that `text`, which is not empty, begins with; 0 if it is none.
// RFC 3629, section 4.
size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  const auto continues = [&](size_t index, unsigned char low, unsigned char high) {
    return index < text.size() && byte(index) >= low && byte(index) <= high;
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  if (first < 0xE0) return continues(1, 0x80, 0xBF) ? 2 : 0;
  if (first < 0xF0) {
    const unsigned char low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = first == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2, 0x80, 0xBF) ? 3 : 0;
  }
  const unsigned char low = first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xF4 ? 0x8F : 0xBF;
  return continues(1, low, high) && continues(2, 0x80, 0xBF) && continues(3, 0x80, 0xBF) ? 4 : 0;
}

// Whether the sequence that `text` begins with is one of U+0000..U+001F and U+007F..U+009F.
bool BeginsWithControl(absl::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7F) return true;
  return first == 0xC2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xA0;
}

// What nearly all identifiers are, told at once: then there is nothing more to look for.
bool IsPrintableAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool HasControl(absl::string_view text) {
  for (size_t index = 0; index < text.size(); ++index) {
    if (BeginsWithControl(text.substr(index))) return true;
  }
  return false;
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string FieldPath::ToString() const {
  std::string text;
  AppendTo(text);
  if (text.size() <= kFieldPathBytesMax) return text;
  return absl::StrCat(absl::string_view(text).substr(0, kFieldPathBytesMax - 3), "...");
}

void FieldPath::AppendTo(std::string& text) const {
  if (parent_ == nullptr) return;
  parent_->AppendTo(text);
  if (index_ >= 0) {
    absl::StrAppend(&text, "[", index_, "]");
    return;
  }
  // Escaping lengthens a name, and what comes after the cut is never seen.
  absl::StrAppend(&text, text.empty() ? "" : ".", absl::CEscape(name_.substr(0, kFieldPathBytesMax)));
}

void Checks::Add(const FieldPath& path, absl::string_view description) {
  if (++count_ > kFieldViolationsMax) return;
  violations_.Add(path.ToString(), description);
}

void Checks::RequiredId(const FieldPath& path, absl::string_view id, size_t bytes_max) {
  if (id.empty()) {
    Add(path, absl::StrCat("is required: give 1 to ", bytes_max, " bytes"));
  } else {
    OptionalId(path, id, bytes_max);
  }
}

void Checks::OptionalId(const FieldPath& path, absl::string_view id, size_t bytes_max) {
  if (id.size() > bytes_max) {
    Add(path, absl::StrCat("is ", id.size(), " bytes long: give at most ", bytes_max));
  } else if (IsPrintableAscii(id)) {
    return;
  } else if (!IsUtf8(id)) {
    Add(path, "is not valid UTF-8");
  } else if (HasControl(id)) {
    Add(path, "has a control character: leave it out");
  }
}

void Checks::RequiredText(const FieldPath& path, absl::string_view text, size_t bytes_max) {
  if (text.empty()) return Add(path, absl::StrCat("is required: give 1 to ", bytes_max, " bytes"));
  OptionalText(path, text, bytes_max);
}

void Checks::OptionalText(const FieldPath& path, absl::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max) {
    Add(path, absl::StrCat("is ", text.size(), " bytes long: give at most ", bytes_max));
  } else if (!IsUtf8(text)) {
    Add(path, "is not valid UTF-8");
  }
}

void Checks::Ratio(const FieldPath& path, double value) {
  // Written so that not-a-number fails.
  if (!(value >= 0 && value <= 1)) Add(path, "must be a number of 0 to 1");
}

void Checks::FiniteAtLeast0(const FieldPath& path, double value) {
  if (!(value >= 0) || std::isinf(value)) Add(path, "must be a finite number of at least 0");
}

void Checks::AtLeast0(const FieldPath& path, int64_t value) {
  if (value < 0) Add(path, "must be at least 0");
}

void Checks::Tier(const FieldPath& path, int32_t tier) {
  if (tier < 0 || tier > 3) Add(path, "must be a tier of 0 to 3");
}

void Checks::PageSize(const FieldPath& path, int32_t page_size) {
  if (page_size < 0) Add(path, "must be at least 0; 0 is the default size");
}

void Checks::Time(const FieldPath& path, const google::protobuf::Timestamp& time) {
  if (!IsValid(time)) Add(path, "must be a time of the years 1 to 9999 with nanos of 0 to 999,999,999");
}

void Checks::DurationBetween(const FieldPath& path, const google::protobuf::Duration& duration, absl::Duration minimum,
                             absl::Duration maximum) {
  if (!IsValid(duration)) {
    Add(path, "must be a duration of at most 10,000 years with nanos of the same sign, below one second");
    return;
  }
  const absl::Duration value = FromProto(duration);
  if (value < minimum || value > maximum) {
    Add(path, absl::StrCat("must be ", absl::FormatDuration(minimum), " to ", absl::FormatDuration(maximum)));
  }
}

}  // namespace interlock::server
