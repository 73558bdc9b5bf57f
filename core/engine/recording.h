// The recording of commands, from which a replay under another policy is made: one row for each batch, or more if it is
// large; removed from the old end by age and by size.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/limits.h"
#include "core/engine/store.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/principal.pb.h"
#include "interlock/v1/state.pb.h"

namespace interlock {

// What is recorded of a command beside itself.
struct EventSubject {
  // Empty: the fleet.
  absl::string_view tenant_id;
  const v1::Principal& caller;
  absl::Time time;
  // As RecordedEvent has it.
  absl::string_view record_id;
  // What a lock command is about; null: it is none.
  const v1::LockScope* lock_scope = nullptr;
};

// Copyable, thread-compatible.
class Recording {
 public:
  // Records nothing.
  Recording() = default;
  // Goes on after the rows in `store` that `counters` knows of. Rows of `age` or older go, and so do the oldest while
  // all take more than `bytes_max`. An `age` of 0 records nothing and removes what there is.
  Recording(absl::Duration age, int64_t bytes_max, const Store& store, const v1::EngineState& counters);

  bool is_on() const { return age_ > absl::ZeroDuration(); }
  // Adds an event to the batch. `command` is serialised; it is field `command_field` of RecordedEvent.
  // REQUIRES: is_on().
  void Add(const EventSubject& subject, int command_field, absl::string_view command);
  // Ends a batch: writes the rows of its events. The batch before it is durable by now.
  void EndBatch(absl::Time now, WriteSet& writes);
  // Sets what the constructor takes.
  void SetCounters(v1::EngineState& counters) const;

  // Removes what is due, at most about 2 * kRowsPerCut rows, at most once a minute.
  void Cut(const Store& store, absl::Time now, WriteSet& writes);
  // When Cut has something to do; InfiniteFuture if there are no rows.
  absl::Time NextCut() const;

 private:
  // As many as a busy server writes in a minute.
  static constexpr int64_t kRowsPerCut = int64_t{1} << 16;

  // What is to be known of a row.
  struct RowFacts {
    absl::Time time;
    // Of all rows up to it.
    int64_t total_bytes;
  };

  // nullopt: there is no such row, or it cannot be read.
  static absl::optional<RowFacts> Read(const Store& store, int64_t number);
  // From when on a row is to go.
  absl::Time DueTime(const RowFacts& row) const;
  bool IsDue(const Store& store, int64_t number, absl::Time now) const;

  absl::Duration age_ = absl::ZeroDuration();
  int64_t bytes_max_ = kRecordingBytesMax;
  // The events of each row of this batch, as fields of a RecordingRow that is serialised. An event is copied as it is
  // built up, into memory that is there already, rather than made a message first.
  std::vector<std::string> pending_;
  // What is being built up.
  std::string event_;
  std::string tenant_event_;
  // The newest row, the newest that is durable, and the newest that was removed.
  int64_t newest_ = 0;
  int64_t durable_ = 0;
  int64_t removed_ = 0;
  // The bytes of all rows ever.
  int64_t total_bytes_ = 0;
  // nullopt: there is none, or it could not be read.
  absl::optional<RowFacts> oldest_;
  // No cut before.
  absl::Time look_time_ = absl::InfinitePast();
};

}  // namespace interlock
