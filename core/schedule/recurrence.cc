#include "core/schedule/recurrence.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::schedule {
namespace {

constexpr absl::Duration kNanosecond = absl::Nanoseconds(1);

// Skips those up to `until` that are not done.
void SkipUntil(v1::SkipReason reason, const NominalTimes& times, absl::Time until, Progress& progress,
               std::vector<Skip>& skips) {
  if (const absl::optional<absl::Time> last = times.Latest(progress.done_until, until); last.has_value()) {
    skips.push_back(
        {reason, *times.After(progress.done_until), *last, times.Count(progress.done_until, until, kSkipsCounted)});
  }
  progress.done_until = std::max(progress.done_until, until);
  progress.queued_until = std::max(progress.queued_until, progress.done_until);
}

// Has the latest `max` up to `now` that are not done run, and skips those before them.
void QueueLatest(v1::SkipReason reason, const NominalTimes& times, absl::Time now, int max, Progress& progress,
                 std::vector<Skip>& skips) {
  const std::vector<absl::Time> latest = times.Latest(progress.done_until, now, static_cast<size_t>(max));
  if (!latest.empty()) SkipUntil(reason, times, latest.front() - kNanosecond, progress, skips);
  progress.queued_until = std::max(progress.queued_until, now);
}

bool SomeWait(const NominalTimes& times, const Progress& progress) {
  const absl::optional<absl::Time> next = NextNominal(times, progress);
  return next.has_value() && *next <= progress.queued_until;
}

// How long ago a time may have passed; a run is put off by the jitter before it is late at all.
absl::Duration CatchUpWindow(const v1::Schedule& schedule) {
  if (schedule.has_catch_up_window()) return FromProto(schedule.catch_up_window()) + FromProto(schedule.jitter());
  return schedule.has_once() ? absl::InfiniteDuration() : kCatchUpWindow + FromProto(schedule.jitter());
}

}  // namespace

absl::optional<absl::Time> NextNominal(const NominalTimes& times, const Progress& progress) {
  return times.After(progress.done_until);
}

std::vector<Skip> JudgeOverlap(const v1::Schedule& schedule, const NominalTimes& times, absl::Time now,
                               Progress& progress) {
  std::vector<Skip> skips;
  switch (schedule.overlap_policy()) {
    case v1::OVERLAP_POLICY_QUEUE_ONE:
    case v1::OVERLAP_POLICY_CANCEL_RUNNING:
      QueueLatest(v1::SKIP_REASON_OVERLAP, times, now, 1, progress, skips);
      break;
    case v1::OVERLAP_POLICY_QUEUE_ALL:
      QueueLatest(v1::SKIP_REASON_OVERLAP, times, now, kQueuedRunsMax, progress, skips);
      break;
    default:
      if (!SomeWait(times, progress)) SkipUntil(v1::SKIP_REASON_OVERLAP, times, now, progress, skips);
      break;
  }
  return skips;
}

std::vector<Skip> JudgeMisfire(const v1::Schedule& schedule, const NominalTimes& times, absl::Time now,
                               Progress& progress) {
  std::vector<Skip> skips;
  if (SomeWait(times, progress)) return skips;
  SkipUntil(v1::SKIP_REASON_CATCH_UP, times, now - CatchUpWindow(schedule) - kNanosecond, progress, skips);
  const absl::optional<absl::Time> latest = times.Latest(progress.done_until, now);
  const bool is_late = latest.has_value() && now - *latest > kMisfireGrace + FromProto(schedule.jitter());
  if (schedule.misfire_policy() == v1::MISFIRE_POLICY_SKIP && is_late) {
    SkipUntil(v1::SKIP_REASON_MISFIRE, times, now, progress, skips);
  } else {
    const bool all = schedule.misfire_policy() == v1::MISFIRE_POLICY_RUN_ALL;
    QueueLatest(v1::SKIP_REASON_MISFIRE, times, now, all ? kQueuedRunsMax : 1, progress, skips);
  }
  return skips;
}

std::vector<Skip> SkipAll(v1::SkipReason reason, const NominalTimes& times, absl::Time now, Progress& progress) {
  std::vector<Skip> skips;
  SkipUntil(reason, times, now, progress, skips);
  return skips;
}

}  // namespace interlock::schedule
