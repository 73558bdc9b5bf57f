// Counts what a replay found: the verdicts of two sides on the same actions, their reasons, agents and locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "google/protobuf/repeated_field.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/replay.pb.h"

namespace interlock::replay {

// Agents that are counted one by one; each takes some hundred bytes.
inline constexpr size_t kAgentsCounted = 10000;
// The most that a result shows of each kind.
inline constexpr int kAgentsShown = 100;
inline constexpr int kLocksShown = 100;
inline constexpr int kDifferencesShown = 100;

// Its memory does not grow with the number of actions. Thread-compatible.
class Comparison {
 public:
  // Counts an action as it was decided under the policy. `before` is what that is compared with, of which only the
  // verdict and the reasons are looked at; null: nothing.
  void CountAction(const v1::Action& action, const v1::Decision* before, const v1::Decision& after);
  void CountReport() { ++reports_; }
  void CountOutcome() { ++outcomes_; }
  // Counts a report or an outcome that was not replayed.
  void CountPassedOver() { ++passed_over_; }
  // Counts a lock that tripped under the policy. `is_new`: its scope was not locked before.
  void CountTrip(const v1::Lock& lock, bool is_new);
  // Counts a lock that tripped before. `is_gone`: its scope is not locked under the policy.
  void CountTripBefore(const v1::Lock& lock, bool is_gone);

  // Actions that were counted so far.
  int64_t actions() const { return actions_; }
  // What was found so far.
  v1::ReplayResult Result() const;

 private:
  // How many actions had the one verdict and then the other; a verdict that nobody knows counts as none.
  class VerdictTable {
   public:
    void Count(v1::Verdict from, v1::Verdict to);
    // Appends the counts that are not 0.
    void AppendTo(google::protobuf::RepeatedPtrField<v1::VerdictCount>& verdicts) const;

   private:
    static constexpr size_t kVerdicts = 4;
    std::array<std::array<int64_t, kVerdicts>, kVerdicts> counts_ = {};
  };
  struct AgentCounts {
    std::string tenant_id;
    std::string agent_id;
    int64_t actions = 0;
    int64_t changed = 0;
    VerdictTable verdicts;
  };

  // Null if so many agents are counted already.
  AgentCounts* FindAgent(const v1::Action& action);
  void CountReasons(const v1::Decision* before, const v1::Decision& after, bool changed);
  void AddDifference(const v1::Action& action, const v1::Decision& before, const v1::Decision& after);
  void AddLock(const v1::Lock& lock, google::protobuf::RepeatedPtrField<v1::LockDifference>& locks) const;
  void AppendAgentsTo(v1::ReplayResult& result) const;

  int64_t actions_ = 0;
  int64_t reports_ = 0;
  int64_t outcomes_ = 0;
  int64_t passed_over_ = 0;
  int64_t changed_ = 0;
  int64_t changed_of_other_agents_ = 0;
  VerdictTable verdicts_;
  // By code.
  std::map<int, v1::ReasonCount> reasons_;
  // By tenant and agent.
  std::map<std::string, AgentCounts, std::less<>> agents_;
  // The one that acted last, which is mostly the next one too.
  AgentCounts* newest_agent_ = nullptr;
  // The locks and the differences of the result, as they were found.
  v1::ReplayResult found_;
};

}  // namespace interlock::replay
