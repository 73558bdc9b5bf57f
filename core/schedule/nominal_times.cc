#include "core/schedule/nominal_times.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/sha256.h"
#include "core/base/time.h"

namespace interlock::schedule {
namespace {

constexpr absl::Duration kStep = absl::Seconds(1);

ClockChanges ChangesOf(const v1::CronSchedule& cron) {
  ClockChanges changes;
  if (cron.clock_gap_policy() == v1::CLOCK_GAP_POLICY_SKIP) changes.gap = ClockGap::kSkip;
  if (cron.clock_fold_policy() == v1::CLOCK_FOLD_POLICY_FIRE_LAST) changes.fold = ClockFold::kFireLast;
  if (cron.clock_fold_policy() == v1::CLOCK_FOLD_POLICY_FIRE_BOTH) changes.fold = ClockFold::kFireBoth;
  return changes;
}

// 0..1, as evenly spread as a hash is.
double FractionOf(absl::string_view task_id, absl::Time nominal) {
  const std::string digest = Sha256(absl::StrCat(task_id, " ", absl::ToUnixNanos(nominal)));
  uint64_t bits = 0;
  for (size_t i = 0; i < sizeof(bits); ++i) bits = bits << 8 | static_cast<unsigned char>(digest[i]);
  return static_cast<double>(bits >> 11) / static_cast<double>(uint64_t{1} << 53);
}

}  // namespace

NominalTimes::NominalTimes(const v1::Schedule& schedule, const absl::TimeZone& zone, absl::Time create_time)
    : anchor_(create_time), zone_(zone) {
  if (schedule.has_once()) once_ = FromProto(schedule.once());
  if (schedule.has_every()) {
    every_ = FromProto(schedule.every().every());
    if (schedule.every().has_anchor_time()) anchor_ = FromProto(schedule.every().anchor_time());
  }
  if (schedule.has_cron()) {
    absl::StatusOr<Cron> cron = Cron::Parse(schedule.cron().expression());
    INTERLOCK_CHECK(cron.ok());
    cron_ = *cron;
    clock_changes_ = ChangesOf(schedule.cron());
  }
  if (schedule.has_start_time()) start_ = FromProto(schedule.start_time());
  if (schedule.has_end_time()) end_ = FromProto(schedule.end_time());
  if (schedule.has_jitter()) jitter_ = FromProto(schedule.jitter());
}

absl::optional<absl::Time> NominalTimes::UnboundedAfter(absl::Time after) const {
  if (once_.has_value()) return *once_ > after ? once_ : absl::nullopt;
  if (cron_.has_value()) return NextCronTime(*cron_, zone_, clock_changes_, after);
  absl::Duration beyond;
  const int64_t whole = absl::IDivDuration(after - anchor_, every_, &beyond);
  // Before the anchor the division rounds up.
  return anchor_ + every_ * (beyond < absl::ZeroDuration() ? whole : whole + 1);
}

absl::optional<absl::Time> NominalTimes::After(absl::Time after) const {
  const absl::optional<absl::Time> time = UnboundedAfter(std::max(after, start_ - absl::Nanoseconds(1)));
  return time.has_value() && *time < end_ ? time : absl::nullopt;
}

absl::optional<absl::Time> NominalTimes::Latest(absl::Time after, absl::Time until) const {
  const auto comes_after = [&](absl::Time time) {
    const absl::optional<absl::Time> next = After(time);
    return next.has_value() && *next <= until;
  };
  if (after >= until || !comes_after(after)) return absl::nullopt;
  // One comes after `low`, none after `high`. First finds about how far back the latest is.
  absl::Time low = until;
  absl::Time high = until;
  for (absl::Duration back = kStep; !comes_after(low); back *= 2) {
    high = low;
    low = std::max(after, until - back);
  }
  while (high - low > kStep) {
    const absl::Time middle = low + (high - low) / 2;
    (comes_after(middle) ? low : high) = middle;
  }
  return After(low);
}

std::vector<absl::Time> NominalTimes::Latest(absl::Time after, absl::Time until, size_t max) const {
  std::vector<absl::Time> times;
  while (times.size() < max) {
    const absl::optional<absl::Time> latest = Latest(after, until);
    if (!latest.has_value()) break;
    times.push_back(*latest);
    until = *latest - absl::Nanoseconds(1);
  }
  std::reverse(times.begin(), times.end());
  return times;
}

int64_t NominalTimes::Count(absl::Time after, absl::Time until, int64_t max) const {
  int64_t count = 0;
  for (auto time = After(after); time.has_value() && *time <= until && count < max; time = After(*time)) ++count;
  return count;
}

absl::Time NominalTimes::DueTime(absl::string_view task_id, absl::Time nominal) const {
  if (jitter_ == absl::ZeroDuration()) return nominal;
  const absl::Time due = nominal + jitter_ * FractionOf(task_id, nominal);
  const absl::optional<absl::Time> next = After(nominal);
  return next.has_value() ? std::min(due, *next - absl::Nanoseconds(1)) : due;
}

}  // namespace interlock::schedule
