// Shows values of the API as short text, and reads them back from flags. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cli/text.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/generated_enum_reflection.h"
#include "google/protobuf/timestamp.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/principal.pb.h"

namespace interlock::cli {

// "2026-11-23 07:01:02Z"; empty if it is not set (zero).
std::string FormatTime(const google::protobuf::Timestamp& time);
// "1.25s", "3m10s"; empty for zero.
std::string FormatDuration(const google::protobuf::Duration& duration);
// "0.85"; at most `digits` after the point and no trailing zeros.
std::string FormatNumber(double value, int digits = 2);
// "97.3 %"; "-" if `whole` is 0.
std::string FormatShare(int64_t part, int64_t whole);
// "12,345".
std::string FormatCount(int64_t value);
// "human:alice".
std::string FormatPrincipal(const v1::Principal& principal);

// "90s", "15m", "7d".
absl::StatusOr<absl::Duration> ParseTimeSpan(absl::string_view text);

// "VERDICT" for the enum Verdict, "AGENT_STATUS" for AgentStatus.
std::string EnumPrefix(const google::protobuf::EnumDescriptor& descriptor);
// The value whose name without the prefix is `text`, in any case; or an error that lists what
// there is. Never the value that means "not set".
absl::StatusOr<int> ParseEnumValue(const google::protobuf::EnumDescriptor& descriptor, absl::string_view text);
// "deny" for VERDICT_DENY; the number of a value that has no name; empty for "not set".
std::string FormatEnumValue(const google::protobuf::EnumDescriptor& descriptor, int value);

template <typename Enum>
std::string FormatEnum(Enum value) {
  return FormatEnumValue(*google::protobuf::GetEnumDescriptor<Enum>(), static_cast<int>(value));
}

template <typename Enum>
absl::StatusOr<Enum> ParseEnum(absl::string_view text) {
  const absl::StatusOr<int> value = ParseEnumValue(*google::protobuf::GetEnumDescriptor<Enum>(), text);
  if (!value.ok()) return value.status();
  return static_cast<Enum>(*value);
}

// The colours in which verdicts and tiers are shown everywhere.
Color VerdictColor(v1::Verdict verdict);
Color TierColor(int tier);

}  // namespace interlock::cli
