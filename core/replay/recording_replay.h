// Replays what a server recorded of one tenant under a candidate policy, and compares with what was decided then. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/replay/comparison.h"
#include "core/replay/policy_engine.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/recording.pb.h"
#include "interlock/v1/replay.pb.h"

namespace interlock::replay {

struct RecordingOptions {
  std::string tenant_id;
  // What is to decide; what names a profile and nothing else is that profile.
  v1::PolicySet policy;
  // Events before this are replayed and not counted.
  absl::Time start_time = absl::InfinitePast();
  // The tenant's locks and the fleet's, released ones too, as they are now.
  std::vector<v1::Lock> recorded_locks;
  // That of the server, by which locks over the fleet are released.
  std::string default_profile = "reference";
};

// Give it the events of the tenant and of the fleet in the order in which they were recorded. Locks that were in force
// when the recording began are engaged before the first event; nothing else is known of the time before. Memory grows
// with agents and the newest 24 hours, as a server's does. Thread-compatible.
class RecordingReplay {
 public:
  // Errors: INVALID_ARGUMENT (the policy breaks a rule of policy.proto; with what and where).
  static absl::StatusOr<std::unique_ptr<RecordingReplay>> Make(RecordingOptions options);

  // Replays an event. `recorded`: the decision of an action; null if it is not known any more.
  void Take(const v1::RecordedEvent& event, const v1::Decision* recorded);

  // Events taken so far, and the time of the newest; InfinitePast if there is none.
  int64_t events() const { return events_; }
  absl::Time time() const { return time_; }
  // What was found, with the locks that tripped up to the newest event.
  v1::ReplayResult Result();

 private:
  RecordingReplay(RecordingOptions options, std::unique_ptr<PolicyEngine> engine);

  void Decide(const v1::ArbitrateRequest& request, const v1::Decision* recorded);
  // Takes what is no action. False: it was passed over.
  bool TakeOther(const v1::RecordedEvent& event);
  // Engages the locks that were in force when the recording began, at `time`.
  void EngageEarlierLocks(absl::Time time);
  // Counts the locks that had tripped before `time` by the recording, and which the candidate did not trip.
  void CountTripsBefore(absl::Time time);
  bool IsCounted() const { return time_ >= options_.start_time; }

  RecordingOptions options_;
  const std::unique_ptr<PolicyEngine> engine_;
  Comparison comparison_;
  int64_t events_ = 0;
  absl::Time time_ = absl::InfinitePast();
  // How many of the recorded locks are counted, in the order of the times at which they were engaged.
  size_t locks_counted_ = 0;
};

}  // namespace interlock::replay
