#include "core/schedule/cron.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace interlock::schedule {
namespace {

// What a field may hold.
struct Field {
  absl::string_view name;
  int min;
  int max;
  // Of the values from `min` on; empty: they have none.
  std::vector<absl::string_view> value_names = {};
};

const std::vector<Field>& Fields() {
  static const auto* const kFields = new std::vector<Field>({
      {"second", 0, 59},
      {"minute", 0, 59},
      {"hour", 0, 23},
      {"day of month", 1, 31},
      {"month", 1, 12, {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
      {"day of week", 0, 7, {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
  });
  return *kFields;
}

absl::string_view Expand(absl::string_view text) {
  if (text == "@hourly") return "0 * * * *";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  return text;
}

absl::Status NotA(const Field& field, absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no ", field.name, " from ", field.min, " to ", field.max));
}

absl::StatusOr<int> ParseValue(const Field& field, absl::string_view text) {
  for (size_t i = 0; i < field.value_names.size(); ++i) {
    if (absl::EqualsIgnoreCase(text, field.value_names[i])) return field.min + static_cast<int>(i);
  }
  int value = 0;
  const bool is_number =
      !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text.front())) && absl::SimpleAtoi(text, &value);
  if (!is_number || value < field.min || value > field.max) return NotA(field, text);
  return value;
}

// The bits of "*", "N", "N-M", each with or without "/S".
absl::StatusOr<uint64_t> ParseRange(const Field& field, absl::string_view text) {
  const std::vector<absl::string_view> halves = absl::StrSplit(text, absl::MaxSplits('/', 1));
  const absl::string_view range = halves[0];
  int step = 1;
  const bool has_step = halves.size() == 2;
  if (has_step && (!absl::SimpleAtoi(halves[1], &step) || step < 1 || step > field.max)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", halves[1], "\" is no step of a ", field.name, " from 1 to ", field.max));
  }
  int first = field.min;
  int last = field.max;
  if (range != "*") {
    const std::vector<absl::string_view> ends = absl::StrSplit(range, absl::MaxSplits('-', 1));
    INTERLOCK_ASSIGN_OR_RETURN(first, ParseValue(field, ends[0]));
    if (ends.size() == 2) {
      INTERLOCK_ASSIGN_OR_RETURN(last, ParseValue(field, ends[1]));
    } else if (!has_step) {
      last = first;
    }
    if (last < first) return absl::InvalidArgumentError(absl::StrCat("\"", range, "\" ends before it begins"));
  }
  uint64_t bits = 0;
  for (int value = first; value <= last; value += step) bits |= uint64_t{1} << value;
  return bits;
}

absl::StatusOr<uint64_t> ParseField(const Field& field, absl::string_view text) {
  if (text == "?") text = "*";
  uint64_t bits = 0;
  for (const absl::string_view range : absl::StrSplit(text, ',')) {
    INTERLOCK_ASSIGN_OR_RETURN(const uint64_t of_range, ParseRange(field, range));
    bits |= of_range;
  }
  return bits;
}

bool Has(uint64_t bits, int value) { return (bits >> value & 1) != 0; }

int WeekDay(absl::CivilDay day) {
  const absl::Weekday weekday = absl::GetWeekday(day);
  return weekday == absl::Weekday::sunday ? 0 : static_cast<int>(weekday) + 1;
}

}  // namespace

absl::StatusOr<Cron> Cron::Parse(absl::string_view text) {
  const std::string expanded(Expand(absl::AsciiStrToLower(text)));
  std::vector<absl::string_view> words = absl::StrSplit(expanded, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() == 5) words.insert(words.begin(), "0");
  if (words.size() != 6) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" has ", words.size(),
                     " fields; write minute, hour, day of month, month and day of week, as in \"30 2 * * 1-5\""));
  }
  Cron cron;
  uint64_t* const bits[] = {&cron.seconds_,    &cron.minutes_, &cron.hours_,
                            &cron.month_days_, &cron.months_,  &cron.week_days_};
  for (size_t i = 0; i < words.size(); ++i) {
    INTERLOCK_ASSIGN_OR_RETURN(*bits[i], ParseField(Fields()[i], words[i]));
  }
  // 7 is Sunday too.
  if (Has(cron.week_days_, 7)) cron.week_days_ |= 1;
  cron.every_hour_ = words[2].front() == '*';
  cron.any_month_day_ = words[3] == "*" || words[3] == "?";
  cron.any_week_day_ = words[5] == "*" || words[5] == "?";
  // Whether there is any does not depend on the year from which one looks.
  if (!cron.FirstFrom(absl::CivilSecond(2000)).has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" names a day that no year has"));
  }
  return cron;
}

bool Cron::NamesDay(absl::CivilDay day) const {
  const bool month_day = Has(month_days_, day.day());
  const bool week_day = Has(week_days_, WeekDay(day));
  return any_month_day_ || any_week_day_ ? month_day && week_day : month_day || week_day;
}

absl::optional<absl::CivilSecond> Cron::FirstFrom(absl::CivilSecond from) const {
  const absl::CivilYear end = absl::CivilYear(from) + kYearsMax;
  absl::CivilSecond at = from;
  while (absl::CivilYear(at) <= end) {
    if (!Has(months_, at.month())) {
      at = absl::CivilSecond(absl::CivilMonth(at) + 1);
    } else if (!NamesDay(absl::CivilDay(at))) {
      at = absl::CivilSecond(absl::CivilDay(at) + 1);
    } else if (!Has(hours_, at.hour())) {
      at = absl::CivilSecond(absl::CivilHour(at) + 1);
    } else if (!Has(minutes_, at.minute())) {
      at = absl::CivilSecond(absl::CivilMinute(at) + 1);
    } else if (!Has(seconds_, at.second())) {
      ++at;
    } else {
      return at;
    }
  }
  return absl::nullopt;
}

}  // namespace interlock::schedule
