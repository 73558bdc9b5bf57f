// Locks: once an engage was acknowledged nothing in its scope is allowed until a release was applied; a release takes
// the people and the time that its rule asks for; no crash takes a lock away, or changes it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "interlock/v1/lock.pb.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class LockChecker final : public Observer {
 public:
  explicit LockChecker(Sim& sim) : sim_(sim) {}

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnBatch(const Effects* effects) override;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::AcknowledgeLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>& call) override;
  void OnCommitted(const Effects& effects, const Engine& engine) override;

  // Every lock as it is by now, by lock_id.
  const std::map<std::string, v1::Lock>& locks() const { return locks_; }
  // The lock at one of its changes, serialised; null if there was no such change, or it was not told.
  const std::string* AtRevision(int64_t revision) const;

 private:
  // A lock at its newest change, and what its release has come to by an own count.
  struct Followed {
    v1::Lock lock;
    std::set<std::string> approved_by;
    absl::Time probation_end;
  };

  void Take(const v1::Lock& lock);
  void FollowChange(const v1::Lock& after);
  void CheckApproval(const v1::Lock& before, const v1::LockRelease& step, Followed& followed);
  void CountEdge(const v1::Lock& before, v1::LockStep step, const v1::Lock& after);
  void CheckStored(const v1::Lock& stored);

  Sim& sim_;
  std::map<std::string, v1::Lock> locks_;
  std::map<int64_t, std::string> revisions_;
  std::map<std::string, Followed> followed_;
  int64_t last_revision_ = 0;
  // Of the batch that is being told; null: what it did besides its replies is not known.
  const Effects* effects_ = nullptr;
  // Such a batch was stored: the store may know of more than was told.
  bool in_doubt_ = false;
};

// Whether `lock` covers what `decision` is about.
bool Covers(const v1::Lock& lock, const v1::Decision& decision);

}  // namespace interlock::simulation
