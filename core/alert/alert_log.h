// Numbers the alerts of the log and says when its old end is to be cut. It knows of each alert only
// how large it is and when it was made; the alerts themselves are in the store. Thread-compatible;
// copyable.
#pragma once

#include <cstdint>
#include <deque>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/limits.h"

namespace interlock::alert {

// Alerts are remembered in groups, so that a log of 10 GiB takes a few MiB of memory: alerts of the
// same minute, together at most a thousandth of `bytes_max`. A group is cut as a whole, so an alert
// is kept for at least `retention` and for less than a minute longer, and a log that is too large
// loses at most one group more than it must. Times that decrease (of tenants whose clocks differ)
// only delay a cut.
class AlertLog {
 public:
  // `retention` and `bytes_max` are above 0.
  explicit AlertLog(absl::Duration retention = kAlertRetention, int64_t bytes_max = kAlertLogBytesMax)
      : retention_(retention), bytes_max_(bytes_max) {}

  // Takes up the rows after a restart, oldest first, then the stored counters.
  // Errors: DATA_LOSS ALERT_LOG_INVALID (a sequence is missing; the rows are not those that the
  // counters name).
  absl::Status LoadRow(int64_t sequence, absl::Time create_time, int64_t bytes);
  absl::Status FinishLoad(int64_t oldest, int64_t head);

  // Adds an alert of `bytes` bytes, made at `create_time`, and answers its sequence: head() + 1 as
  // it was before.
  int64_t Append(int64_t bytes, absl::Time create_time);

  // Cuts what is as old as the retention or older, then the oldest until the rest fits into
  // bytes_max. Answers the new oldest sequence, which is head() + 1 if nothing is left; nullopt if
  // nothing was cut. Sequences never change.
  absl::optional<int64_t> CutBefore(absl::Time now);
  // The earliest time at which CutBefore cuts something; InfinitePast if it is too large,
  // InfiniteFuture if it is empty.
  absl::Time NextCutTime() const;

  // The newest sequence; 0 if there never was one.
  int64_t head() const { return head_; }
  // The oldest sequence that is left; head() + 1 if none is.
  int64_t oldest() const { return oldest_; }
  // What is left, together.
  int64_t bytes() const { return bytes_; }

 private:
  // Neighbouring alerts of one minute.
  struct Group {
    int64_t end_sequence;
    absl::Time newest_time;
    int64_t bytes;
  };

  absl::Duration retention_;
  int64_t bytes_max_;
  int64_t head_ = 0;
  int64_t oldest_ = 1;
  int64_t bytes_ = 0;
  std::deque<Group> groups_;
};

}  // namespace interlock::alert
