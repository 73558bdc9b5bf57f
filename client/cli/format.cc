#include "client/cli/format.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/time.h"

namespace interlock::cli {

std::string FormatTime(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", FromProto(time), absl::UTCTimeZone());
}

std::string FormatDuration(const google::protobuf::Duration& duration) {
  const absl::Duration value = FromProto(duration);
  if (value == absl::ZeroDuration()) return "";
  return absl::FormatDuration(absl::Trunc(value, absl::Milliseconds(1)));
}

std::string FormatNumber(double value, int digits) {
  std::string text = absl::StrFormat("%.*f", digits, value);
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string FormatShare(int64_t part, int64_t whole) {
  if (whole == 0) return "-";
  return absl::StrFormat("%.1f %%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string FormatCount(int64_t value) {
  const std::string digits = absl::StrCat(value < 0 ? -value : value);
  std::string text = value < 0 ? "-" : "";
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string FormatPrincipal(const v1::Principal& principal) {
  if (principal.id().empty()) return "";
  return absl::StrCat(FormatEnum(principal.kind()), ":", principal.id());
}

absl::StatusOr<absl::Duration> ParseTimeSpan(absl::string_view text) {
  double days = 0;
  absl::string_view number = text;
  if (absl::ConsumeSuffix(&number, "d") && absl::SimpleAtod(number, &days)) {
    return absl::Hours(24) * days;
  }
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration)) return duration;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no time span; write for example 90s, 15m, 2h or 7d"));
}

std::string EnumPrefix(const google::protobuf::EnumDescriptor& descriptor) {
  // The value 0 of every enum of the API is PREFIX_UNSPECIFIED.
  return std::string(absl::StripSuffix(descriptor.FindValueByNumber(0)->name(), "UNSPECIFIED"));
}

absl::StatusOr<int> ParseEnumValue(const google::protobuf::EnumDescriptor& descriptor, absl::string_view text) {
  const std::string prefix = EnumPrefix(descriptor);
  const std::string upper = absl::AsciiStrToUpper(text);
  const std::string name = absl::StrCat(prefix, absl::StripPrefix(upper, prefix));
  const auto* value = descriptor.FindValueByName(name);
  if (value != nullptr && value->number() != 0) return value->number();
  std::vector<std::string> choices;
  for (int i = 0; i < descriptor.value_count(); ++i) {
    const int number = descriptor.value(i)->number();
    if (number != 0) choices.push_back(FormatEnumValue(descriptor, number));
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is none of ", absl::StrJoin(choices, ", ")));
}

std::string FormatEnumValue(const google::protobuf::EnumDescriptor& descriptor, int value) {
  if (value == 0) return "";
  const auto* known = descriptor.FindValueByNumber(value);
  if (known == nullptr) return absl::StrCat(value);
  return absl::AsciiStrToLower(absl::StripPrefix(known->name(), EnumPrefix(descriptor)));
}

Color VerdictColor(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_ALLOW:
      return Color::kGreen;
    case v1::VERDICT_DENY:
      return Color::kYellow;
    default:
      return Color::kRed;
  }
}

Color TierColor(int tier) {
  switch (tier) {
    case 0:
      return Color::kGreen;
    case 1:
      return Color::kYellow;
    case 2:
      return Color::kMagenta;
    default:
      return Color::kRed;
  }
}

}  // namespace interlock::cli
