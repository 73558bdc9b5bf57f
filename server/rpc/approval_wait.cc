#include "server/rpc/approval_wait.h"

#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"
#include "server/base/limits.h"
#include "server/rpc/history.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

void ApprovalWait::Start(Rooms& rooms, RawCall& call) {
  v1::WaitApprovalRequest request;
  if (const auto caller = Admit(call, request); !caller.ok()) return call.Finish(caller.status());
  const auto wait = std::make_shared<ApprovalWait>(rooms, call, std::move(request));
  if (const absl::Status status = rooms.hub.Join(wait); !status.ok()) return wait->Answer(status);
  wait->PostLook();
}

ApprovalWait::ApprovalWait(Rooms& rooms, RawCall& call, v1::WaitApprovalRequest request)
    : rooms_(rooms),
      call_(call),
      request_(std::move(request)),
      deadline_(rooms.clock.TimeNow() + (request_.has_timeout() ? FromProto(request_.timeout()) : kWaitMax)) {}

void ApprovalWait::Wake() {
  if (TakeIfIdle()) PostLook();
}

void ApprovalWait::End(const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    if (state_ != State::kIdle) {
      end_ = status;
      return;
    }
    state_ = State::kBusy;
  }
  Answer(status);
}

void ApprovalWait::PostLook() {
  if (rooms_.catch_up.Post([self = shared_from_this()] { self->Look(); })) return;
  Answer(MakeError(absl::StatusCode::kUnavailable, "SERVER_STOPPING", "the server stops; repeat the call"));
}

void ApprovalWait::Look() {
  for (;;) {
    const uint64_t notifications = rooms_.hub.notifications();
    const bool timed_out = rooms_.clock.TimeNow() >= deadline_;
    if (const uint64_t changes = rooms_.approvals.count(); timed_out || seen_ != changes) {
      const absl::StatusOr<v1::Approval> approval = ReadApproval();
      if (timed_out || !approval.ok() || IsNews(*approval)) return Answer(approval);
      seen_ = changes;
    }
    if (Rest(notifications)) return;
  }
}

absl::StatusOr<v1::Approval> ApprovalWait::ReadApproval() const {
  const std::shared_ptr<const Store> store = rooms_.sequencer.store();
  if (store == nullptr) {
    return MakeError(absl::StatusCode::kUnavailable, "NOT_SERVING", "the store is being opened; repeat the call");
  }
  v1::GetApprovalRequest get;
  get.set_tenant_id(request_.tenant_id());
  get.set_approval_id(request_.approval_id());
  return Read(*store, get);
}

bool ApprovalWait::IsNews(const v1::Approval& approval) const {
  if (request_.after_version() == 0) return approval.state() != v1::APPROVAL_STATE_PENDING;
  return approval.version() > request_.after_version();
}

bool ApprovalWait::Rest(uint64_t notifications) {
  absl::optional<absl::Status> end;
  {
    MutexLock lock(mutex_);
    end = end_;
    if (!end.has_value()) state_ = State::kIdle;
  }
  if (end.has_value()) {
    Answer(*end);
    return true;
  }
  if (rooms_.hub.Park(shared_from_this(), notifications, deadline_)) return true;
  return !TakeIfIdle();
}

void ApprovalWait::Answer(const absl::StatusOr<v1::Approval>& reply) {
  {
    MutexLock lock(mutex_);
    state_ = State::kOver;
  }
  rooms_.hub.Leave(shared_from_this());
  if (reply.ok()) return call_.Finish(*reply);
  call_.Finish(reply.status());
}

bool ApprovalWait::TakeIfIdle() {
  MutexLock lock(mutex_);
  if (state_ != State::kIdle) return false;
  state_ = State::kBusy;
  return true;
}

}  // namespace interlock::server
