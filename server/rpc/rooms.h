// What the services work with; built and owned by server/main.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/thread_pool.h"
#include "server/feed/alert_feed.h"
#include "server/feed/approval_changes.h"
#include "server/feed/lock_feed.h"
#include "server/feed/stream_hub.h"
#include "server/secrets/sealer.h"
#include "server/secrets/secret_key.h"
#include "server/sequencer/sequencer.h"

namespace interlock::server {

// All of it is thread-safe and outlives the services.
struct Rooms {
  Clock& clock;
  Sequencer& sequencer;
  // Reads the store for calls.
  ThreadPool& readers;
  // Reads the store for streams that are behind, apart from calls, so that neither waits for the other. Its queue has
  // room for kStreamsMax jobs.
  ThreadPool& catch_up;
  AlertFeed& alerts;
  LockFeed& locks;
  ApprovalChanges& approvals;
  StreamHub& hub;
  const Sealer& sealer;
  // Signs exports of the audit log.
  const SecretKey& audit_key;
  // The profile of tenants without a policy.
  std::string default_profile;
  absl::Time start_time;
};

}  // namespace interlock::server
