// The checkpoints that are kept, without the state that they hold: which can be used, and which can be gone back to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/ids.h"
#include "interlock/v1/checkpoint.pb.h"

namespace interlock::rollback {

// What an action needs of its checkpoint.
struct CheckpointNeed {
  absl::string_view tenant_id;
  absl::string_view agent_id;
  // In lower case.
  absl::string_view action_type;
  absl::string_view target_resource;
  absl::Time now;
};

// Copyable, thread-compatible. References and pointers that it hands out live until the next change of the book.
class CheckpointBook {
 public:
  // nullptr if the tenant has none of this id.
  const v1::Checkpoint* Find(absl::string_view tenant_id, absl::string_view checkpoint_id) const;
  // Why the checkpoint cannot be used for the action; empty: it can.
  std::string WhyNot(absl::string_view checkpoint_id, const CheckpointNeed& need) const;
  // The newest `count` checkpoints of the agent that a decision used, and whose rollback is neither open nor has
  // succeeded; the newest first. None if `count` is 0.
  std::vector<const v1::Checkpoint*> Latest(absl::string_view tenant_id, absl::string_view agent_id, int count) const;
  // How many of the agent's checkpoints are being restored.
  size_t CountOpenRollbacks(absl::string_view tenant_id, absl::string_view agent_id) const;
  // Whether the agent may have one more, of `state_bytes`. Errors: RESOURCE_EXHAUSTED CHECKPOINTS_EXHAUSTED.
  absl::Status CheckRoom(absl::string_view tenant_id, absl::string_view agent_id, int64_t state_bytes) const;

  // Takes up a new checkpoint; `created` says what for, by whom, and all about its state but the state. REQUIRES:
  // CheckRoom is OK.
  const v1::Checkpoint& Create(v1::Checkpoint created, IdCounter& ids, absl::Time now);
  // `decision_id` uses it. REQUIRES: WhyNot is empty.
  const v1::Checkpoint& Use(absl::string_view checkpoint_id, absl::string_view decision_id, absl::Time now);
  // `rollback`, of one of the checkpoints, was asked for or has taken a step.
  const v1::Checkpoint& SetRollback(const v1::Rollback& rollback, absl::Time now);
  // Lets go of one that the agent has too many of, and answers it: the oldest that neither a decision used nor a
  // rollback was asked of, or the one whose last use is the longest ago; none whose rollback is open. nullopt: it has
  // not too many.
  absl::optional<v1::Checkpoint> TakeSurplus(absl::string_view tenant_id, absl::string_view agent_id);

  // When the first one's time is up; InfiniteFuture if there is none. Of one tenant only, if it is given.
  absl::Time NextDue(absl::optional<absl::string_view> tenant_id = absl::nullopt) const;
  // Lets go of the one whose time is up first and answers it. REQUIRES: NextDue(tenant_id) is not InfiniteFuture.
  v1::Checkpoint FireDue(absl::optional<absl::string_view> tenant_id);

  // Puts back a stored checkpoint. Errors: DATA_LOSS CHECKPOINT_UNREADABLE (its id or times are not sound, or another
  // one has its id).
  absl::Status Load(const v1::Checkpoint& checkpoint);
  size_t size() const { return checkpoints_.size(); }

 private:
  using Due = std::set<std::pair<absl::Time, int64_t>>;
  struct TenantShare {
    // The numbers of each agent's.
    std::map<std::string, std::set<int64_t>, std::less<>> by_agent;
    Due due;
    int64_t state_bytes = 0;
  };

  const TenantShare* FindShare(absl::string_view tenant_id) const;
  // The numbers of the agent's; empty if it has none.
  const std::set<int64_t>& NumbersOf(absl::string_view tenant_id, absl::string_view agent_id) const;
  // Of the agent's checkpoints that count as `used` or not: how many there are, and which would go first.
  struct Group {
    size_t size = 0;
    int64_t first = -1;
  };
  Group GroupOf(absl::string_view tenant_id, absl::string_view agent_id, bool used) const;
  v1::Checkpoint& Change(absl::string_view checkpoint_id);
  void SetExpireTime(v1::Checkpoint& checkpoint, absl::Time expire_time);
  void Insert(int64_t number, v1::Checkpoint checkpoint);
  v1::Checkpoint Remove(int64_t number);

  // By the number in checkpoint_id.
  std::map<int64_t, v1::Checkpoint> checkpoints_;
  std::map<std::string, TenantShare, std::less<>> tenants_;
  Due due_;
};

}  // namespace interlock::rollback
