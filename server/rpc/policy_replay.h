// ReplayPolicy: replays the recording of a tenant's commands under a candidate policy, a piece at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/engine/store.h"
#include "core/replay/recording_replay.h"
#include "interlock/v1/policy_service.pb.h"
#include "server/base/mutex.h"
#include "server/feed/feed_stream.h"

namespace interlock::server {

class PolicyReplay final : public FeedStream {
 public:
  // The store, or null while it is being opened.
  using StoreSource = std::function<std::shared_ptr<const Store>()>;
  // Whoever holds it may replay.
  using Turn = std::shared_ptr<void>;

  // `default_profile` is that of tenants without a policy.
  PolicyReplay(v1::ReplayPolicyRequest request, std::string default_profile, StoreSource store, Turn turn)
      : request_(std::move(request)),
        default_profile_(std::move(default_profile)),
        store_(std::move(store)),
        turn_(std::move(turn)) {}

  absl::StatusOr<StreamStep> Next(absl::Time now) override;
  // Errors: INVALID_ARGUMENT (the policy), FAILED_PRECONDITION (NOTHING_RECORDED), OUT_OF_RANGE (RECORDING_CUT),
  // DATA_LOSS, UNAVAILABLE.
  absl::StatusOr<StreamStep> ReadOn(absl::Time now) override;
  absl::Time WakeTime() const override { return absl::InfiniteFuture(); }

 private:
  absl::Status Begin(const Store& store);
  // Replays the next rows. True: all that was asked for is replayed.
  absl::StatusOr<bool> ReplayRows(const Store& store);
  absl::Status TakeRow(const Store& store, const v1::RecordingRow& row);
  absl::Status TakeEvent(const Store& store, const v1::RecordedEvent& event);
  absl::Status MissingRow(const Store& store) const;
  v1::ReplayProgress Progress() const;

  const v1::ReplayPolicyRequest request_;
  const std::string default_profile_;
  const StoreSource store_;
  const Turn turn_;
  std::unique_ptr<replay::RecordingReplay> replay_;
  bool has_ended_ = false;
  // The rows to be read, and the newest that was.
  int64_t first_row_ = 0;
  int64_t last_row_ = 0;
  int64_t read_row_ = 0;
  google::protobuf::Timestamp recording_start_time_;
  // An event at end_time or later came.
  bool is_past_end_ = false;
};

// Lets one replay run at a time. Thread-safe.
class ReplayTurns {
 public:
  // Null: another one has it.
  PolicyReplay::Turn Take() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Mutex mutex_;
  std::weak_ptr<void> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace interlock::server
