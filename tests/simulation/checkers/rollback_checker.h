// Checkpoints and rollbacks: a checkpoint allows one decision at most, of its agent, for its action, within its time;
// what can be undone is not allowed without one, and what cannot not without people. A rollback moves by the steps of
// its machine, in order and in time, has succeeded only if what was saved was restored, and is moved by nobody but its
// agent, people and services. No crash takes one away, or changes it. All is followed by what was asked and answered.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "interlock/v1/checkpoint.pb.h"
#include "interlock/v1/policy.pb.h"
#include "tests/simulation/cast.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class RollbackChecker final : public Observer {
 public:
  RollbackChecker(Sim& sim, const Cast& cast) : sim_(sim), cast_(cast) {}

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnBatch(const Effects* effects) override;
  void OnSettled(const Settled<v1::CreateCheckpointRequest, v1::Checkpoint>& call) override;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnSettled(const Settled<v1::RequestRollbackRequest, v1::RequestRollbackResponse>& call) override;
  void OnSettled(const Settled<v1::ReportRollbackRequest, v1::Rollback>& call) override;
  void OnPolicy(const v1::PolicySet& policy, const v1::Principal& caller) override;
  void OnCommitted(const Effects& effects, const Engine& engine) override;

 private:
  // A checkpoint, and what it has come to by an own count.
  struct Saved {
    // As it was last told.
    v1::Checkpoint told;
    // What was saved; empty if only the store knows.
    std::string state;
    // The decision that used it, and the newest rollback that was asked for; empty: none.
    std::string used_by;
    std::string rollback_id;
  };
  struct Followed {
    // As it was last told by a batch, or answered.
    v1::Rollback rollback;
    // As it was last told by a batch.
    v1::Rollback told;
  };

  // The checkpoint of this id; null if there is none, which is a violation.
  Saved* FindSaved(const std::string& checkpoint_id, absl::string_view by);
  void CheckMayAct(const v1::Principal& caller, const std::string& agent_id, absl::string_view what);
  void CheckUse(const v1::ArbitrateRequest& request, const v1::Decision& decision);
  void CheckNeeds(const v1::Decision& decision);
  void CountRefusal(const v1::ArbitrateRequest& request, const v1::Decision& decision);
  void FollowCheckpoint(const v1::Checkpoint& after);
  void FollowRollback(const v1::Rollback& after);
  void CheckSuccess(const v1::Rollback& rollback);
  void CheckStoredCheckpoints(const Store& store, const std::string& tenant_id, absl::Time now);
  void CheckStoredRollbacks(const Store& store, const std::string& tenant_id);

  Sim& sim_;
  const Cast& cast_;
  // By checkpoint_id, and by rollback_id.
  std::map<std::string, Saved> saved_;
  std::map<std::string, Followed> followed_;
  // By tenant and version.
  std::map<std::pair<std::string, int64_t>, v1::PolicySet> policies_;
  // A batch was stored of which only the replies are known: the store may know of more than was told.
  bool in_doubt_ = false;
};

}  // namespace interlock::simulation
