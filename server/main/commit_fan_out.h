// Passes on what has become durable: to the feeds and their streams, the executors, the log and the health service.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "core/engine/effects.h"
#include "core/schedule/attempt_result.h"
#include "server/executors/executor_pool.h"
#include "server/feed/alert_feed.h"
#include "server/feed/approval_changes.h"
#include "server/feed/lock_feed.h"
#include "server/feed/stream_hub.h"
#include "server/main/event_log.h"
#include "server/sequencer/commit_listener.h"

namespace interlock::server {

// Engine thread only. Everything it is given must outlive it.
class CommitFanOut final : public CommitListener {
 public:
  struct Listeners {
    AlertFeed& alerts;
    LockFeed& locks;
    ApprovalChanges& approvals;
    StreamHub& hub;
    ExecutorPool& executors;
    EventLog& log;
    // Told whether the server decides.
    std::function<void(bool serving)> set_serving;
    // Takes the end of an attempt that no executor will run.
    std::function<void(schedule::AttemptResult)> end_attempt;
  };
  explicit CommitFanOut(Listeners listeners) : to_(std::move(listeners)) {}

  absl::Status OnOpened(const Core& core) override;
  void OnCommitted(const Effects& effects, const Engine& engine) override;
  void OnLost(const absl::Status& cause) override;

 private:
  void Tell(const Effects& effects);
  void Grant(const v1::TaskRecord& grant);

  const Listeners to_;
};

}  // namespace interlock::server
