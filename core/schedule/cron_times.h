// When a cron expression fires in a time zone.
#pragma once

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/schedule/cron.h"

namespace interlock::schedule {

// What becomes of times that a change of the clock skips.
enum class ClockGap {
  // They fire once, all together, at the change.
  kFireAtChange,
  kSkip,
};

// What becomes of times that a change of the clock repeats.
enum class ClockFold { kFireFirst, kFireLast, kFireBoth };

// Only for expressions that mean a time of the day: one with every_hour() fires so often, in time that has passed, so
// that it skips what the clock skips and fires again in what it repeats.
struct ClockChanges {
  ClockGap gap = ClockGap::kFireAtChange;
  ClockFold fold = ClockFold::kFireFirst;
};

// The first time after `after` at which `cron` fires in `zone`, to the second; nullopt: never, or not within years. The
// same for every `after` between two such times, so that what is computed again after a restart is what was before.
absl::optional<absl::Time> NextCronTime(const Cron& cron, const absl::TimeZone& zone, const ClockChanges& changes,
                                        absl::Time after);

}  // namespace interlock::schedule
