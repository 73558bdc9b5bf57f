// The locks, close at hand: whether one covers an action is known without a call. It can only say
// "blocked" early; only Arbitrate can say that an action may be done.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "interlock/v1/lock.pb.h"

namespace interlock::client {

// What an action touches. Where the category is not known, every lock over a category of the tenant
// counts.
struct ActionTarget {
  absl::string_view tenant_id;
  absl::string_view category;
  absl::string_view agent_id;
  absl::string_view target_resource;
};

// Watches the locks from its construction to its end, with a thread of its own. Whatever is not
// known is taken as locked: before the first snapshot is complete, and from the moment that the
// stream breaks until it goes on. A connection that is gone without a word is noticed after 15
// seconds. Thread-safe.
class LockCache {
 public:
  // Of one tenant and the fleet; empty: of all tenants.
  LockCache(const Client& client, std::string tenant_id);
  ~LockCache();
  LockCache(const LockCache&) = delete;
  LockCache& operator=(const LockCache&) = delete;

  // Whether a lock blocks the target, or might.
  bool IsLocked(const ActionTarget& target) const;
  // Whether all locks are known now.
  bool IsCurrent() const;
  // Waits until they are. False: they are not after `timeout`.
  bool WaitUntilCurrent(absl::Duration timeout) const;
  // Those that are known and not clear, by lock_id.
  std::vector<v1::Lock> Locks() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace interlock::client
