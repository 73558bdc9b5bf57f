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
#include "interlock/v1/recording.pb.h"
#include "interlock/v1/state.pb.h"

namespace interlock {

// Copyable, thread-compatible.
class Recording {
 public:
  // Records nothing.
  Recording() = default;
  // Goes on after the rows in `store` that `counters` knows of. Rows of `age` or older go, and so do the oldest while
  // all take more than `bytes_max`. An `age` of 0 records nothing and removes what there is.
  Recording(absl::Duration age, int64_t bytes_max, const Store& store, const v1::EngineState& counters);

  bool is_on() const { return age_ > absl::ZeroDuration(); }
  // Adds an event to the batch; an empty tenant is the fleet. `head` is all of it but for the command, which is field
  // `command_field` of RecordedEvent. REQUIRES: is_on().
  void Add(absl::string_view tenant_id, const v1::RecordedEvent& head, int command_field,
           const google::protobuf::MessageLite& command);
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
  // The rows of this batch.
  std::vector<v1::RecordingRow> pending_;
  int64_t pending_bytes_ = 0;
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
