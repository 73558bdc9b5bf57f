// How often each thing occurred that a campaign must have seen: a campaign that never saw a lock released has shown
// nothing about releases.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/alert/episode_machine.h"
#include "core/rollback/rollback_machine.h"
#include "core/safety/approval_machine.h"
#include "core/safety/lock_machine.h"

namespace interlock::simulation {

// What coverage calls an edge of the states of locks, approvals, rollbacks and episodes.
std::string NameOf(const safety::LockEdge& edge);
std::string NameOf(const safety::ApprovalEdge& edge);
std::string NameOf(const rollback::RollbackEdge& edge);
std::string NameOf(const alert::EpisodeEdge& edge);

// Thread-compatible.
class Coverage {
 public:
  // One more occurrence of `what`, for example ("verdict", "VERDICT_ALLOW").
  void Count(absl::string_view kind, absl::string_view what);

  // One line for each kind.
  std::string ToText() const;
  // What a campaign must have seen, and this one has not, as "kind what".
  std::vector<std::string> Missing() const;

 private:
  std::map<std::string, std::map<std::string, int64_t, std::less<>>, std::less<>> counts_;
};

}  // namespace interlock::simulation
