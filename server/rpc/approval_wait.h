// One call that waits for an approval to change.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "interlock/v1/approval_service.pb.h"
#include "server/base/mutex.h"
#include "server/feed/stream_hub.h"
#include "server/rpc/raw_call.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// Thread-safe. Rests in the hub like a stream and reads the store when approvals have changed. A caller that goes away
// is noticed at the timeout only.
class ApprovalWait final : public HubStream, public std::enable_shared_from_this<ApprovalWait> {
 public:
  // Reads the request and answers the call now or later. `rooms` must outlive the call.
  static void Start(Rooms& rooms, RawCall& call);

  ApprovalWait(Rooms& rooms, RawCall& call, v1::WaitApprovalRequest request);

  void Wake() override ABSL_LOCKS_EXCLUDED(mutex_);
  void End(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class State {
    // One thread has the call.
    kBusy,
    // Nobody has it; Wake and End take it.
    kIdle,
    kOver,
  };

  // All of these are called by who has the call, and leave it to the next.
  void PostLook() ABSL_LOCKS_EXCLUDED(mutex_);
  void Look() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<v1::Approval> ReadApproval() const;
  bool IsNews(const v1::Approval& approval) const;
  // Gives the call up until it is woken. False: there may be news, and the caller has it still.
  bool Rest(uint64_t notifications) ABSL_LOCKS_EXCLUDED(mutex_);
  void Answer(const absl::StatusOr<v1::Approval>& reply) ABSL_LOCKS_EXCLUDED(mutex_);

  bool TakeIfIdle() ABSL_LOCKS_EXCLUDED(mutex_);

  Rooms& rooms_;
  RawCall& call_;
  const v1::WaitApprovalRequest request_;
  const absl::Time deadline_;
  // The changes that were counted before the store was last read; for who has the call.
  absl::optional<uint64_t> seen_;

  Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kBusy;
  // What the call is to end with as soon as nobody has it.
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace interlock::server
