// What becomes of the nominal times of a task: which it runs, one after another, and which it skips, and why.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/schedule/nominal_times.h"
#include "interlock/v1/task.pb.h"

namespace interlock::schedule {

// How far a task is in its schedule. Every nominal time up to `done_until` was run or skipped; those after it and up to
// `queued_until` are to be run, each; nothing is decided about later ones.
struct Progress {
  absl::Time done_until;
  absl::Time queued_until;
};

// Nominal times in a row that were skipped for one reason.
struct Skip {
  v1::SkipReason reason;
  absl::Time first;
  absl::Time last;
  // At most kSkipsCounted.
  int64_t count;
};

// The next nominal time to run; nullopt: there is none. It may have passed.
absl::optional<absl::Time> NextNominal(const NominalTimes& times, const Progress& progress);

// Each decides about nominal times up to `now` and answers those that are skipped, oldest first.

// An attempt has ended: those that came meanwhile are judged by the overlap policy. Where they are to be skipped, but
// others wait, they are left to JudgeMisfire.
std::vector<Skip> JudgeOverlap(const v1::Schedule& schedule, const NominalTimes& times, absl::Time now,
                               Progress& progress);
// The task is free to run: those that passed are judged by the catch-up window and the misfire policy, of which the one
// that is due just now is the latest. While some are to be run, nothing is decided about later ones.
std::vector<Skip> JudgeMisfire(const v1::Schedule& schedule, const NominalTimes& times, absl::Time now,
                               Progress& progress);
// All are skipped, also those that were to be run.
std::vector<Skip> SkipAll(v1::SkipReason reason, const NominalTimes& times, absl::Time now, Progress& progress);

}  // namespace interlock::schedule
