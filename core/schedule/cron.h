// Cron expressions: which civil times they name. What a time zone makes of them is core/schedule/cron_times.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/optional.h"

namespace interlock::schedule {

// Immutable, copyable, thread-safe.
class Cron {
 public:
  // Five fields: minute 0..59, hour 0..23, day of month 1..31, month 1..12 or JAN..DEC, day of week 0..7 or SUN..SAT (0
  // and 7 are Sunday); or six, of which the first is the second 0..59. A field is a list of "*", "N", "N-M", each with
  // or without a step "/S"; "N/S" goes on to the field's end; "?" is "*". Letters in any case. "@hourly", "@daily",
  // "@weekly", "@monthly" and "@yearly" stand for the expressions of those names.
  // If neither the day of month nor the day of week is "*", a day that either names is named.
  // Errors: INVALID_ARGUMENT (in words, without a field), also for an expression that names no time within kYearsMax.
  static absl::StatusOr<Cron> Parse(absl::string_view text);

  // The first time at or after `from` that it names; nullopt: none within kYearsMax.
  absl::optional<absl::CivilSecond> FirstFrom(absl::CivilSecond from) const;

  // Whether the hour is "*" or a step of it: then it means "so often" rather than "at that time of the day".
  bool every_hour() const { return every_hour_; }

 private:
  // The 29th of February may be eight years away.
  static constexpr int kYearsMax = 8;

  Cron() = default;
  bool NamesDay(absl::CivilDay day) const;

  // One bit for each value.
  uint64_t seconds_ = 0;
  uint64_t minutes_ = 0;
  uint64_t hours_ = 0;
  uint64_t month_days_ = 0;
  uint64_t months_ = 0;
  // Sunday is 0.
  uint64_t week_days_ = 0;
  bool any_month_day_ = false;
  bool any_week_day_ = false;
  bool every_hour_ = false;
};

}  // namespace interlock::schedule
