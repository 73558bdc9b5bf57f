// The nominal times of one schedule: when a task is to run. What becomes of those that it misses is for others to say.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/schedule/cron.h"
#include "core/schedule/cron_times.h"
#include "interlock/v1/task.pb.h"

namespace interlock::schedule {

// Two nominal times differ by a second at least. Immutable, copyable, thread-safe.
class NominalTimes {
 public:
  // `zone` is that of its cron schedule, if it has one. REQUIRES: `schedule` is valid.
  NominalTimes(const v1::Schedule& schedule, const absl::TimeZone& zone, absl::Time create_time);

  // The first after `after`; nullopt: there is none.
  absl::optional<absl::Time> After(absl::Time after) const;
  // The latest after `after` and not after `until`; nullopt: there is none. However many there are, it takes some dozen
  // calls of After.
  absl::optional<absl::Time> Latest(absl::Time after, absl::Time until) const;
  // The latest `max` of them, oldest first.
  std::vector<absl::Time> Latest(absl::Time after, absl::Time until, size_t max) const;
  // How many of them there are, at most `max`.
  int64_t Count(absl::Time after, absl::Time until, int64_t max) const;

  // When the run for `nominal` is due: later by a part of the jitter that follows from both arguments, and before the
  // next nominal time.
  absl::Time DueTime(absl::string_view task_id, absl::Time nominal) const;

 private:
  // Without the bounds of the schedule.
  absl::optional<absl::Time> UnboundedAfter(absl::Time after) const;

  absl::optional<absl::Time> once_;
  // Above 0 for an interval.
  absl::Duration every_;
  absl::Time anchor_;
  absl::optional<Cron> cron_;
  absl::TimeZone zone_;
  ClockChanges clock_changes_;
  absl::Time start_ = absl::InfinitePast();
  absl::Time end_ = absl::InfiniteFuture();
  absl::Duration jitter_;
};

}  // namespace interlock::schedule
