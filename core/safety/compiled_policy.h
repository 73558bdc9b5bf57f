// A policy set made ready for decisions: what is looked up for every action is indexed once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/limits.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::safety {

// An action type that undoes another.
struct Opposite {
  // In lower case.
  std::string action_type;
  // Only on the same resource.
  bool same_resource = false;
};

// Immutable after construction and therefore thread-safe; share it by std::shared_ptr<const CompiledPolicy>.
// References and pointers that it hands out live as long as it does.
class CompiledPolicy {
 public:
  // REQUIRES: `policy` is valid (see core/policy).
  explicit CompiledPolicy(v1::PolicySet policy);
  // Not copied or moved, because the indexes point into the policy.
  CompiledPolicy(const CompiledPolicy&) = delete;
  CompiledPolicy& operator=(const CompiledPolicy&) = delete;

  const v1::PolicySet& policy() const { return policy_; }

  // The category that the rules give to `action_type`: of the first rule that matches, else the default category.
  // REQUIRES: `action_type` is in lower case.
  const std::string& CategoryOf(absl::string_view action_type) const;

  // Whether any part of the policy names `category`.
  bool HasCategory(absl::string_view category) const { return categories_.contains(category); }

  // The constraints that cover `category`, in policy order.
  const std::vector<const v1::Constraint*>& ConstraintsFor(absl::string_view category) const;

  // What an action of `category` that names no risk or impact is taken to have; nullptr if the policy does not say.
  const v1::RiskDefault* RiskDefaultFor(absl::string_view category) const;

  // The action types that undo `action_type` (in lower case), one for each pair that names it, in pair order.
  const std::vector<Opposite>& ConflictsOf(absl::string_view action_type) const;
  // Whether one of them, only on the same resource.
  bool ConflictsByResource(absl::string_view action_type) const { return by_resource_.contains(action_type); }

  // Whether the values under some keys of the parameters are secret, and whether those under `key` are.
  bool redacts() const { return !redacted_keys_.empty(); }
  bool IsRedacted(absl::string_view key) const { return redacted_keys_.contains(key); }

  // What a trip by `cause` locks; nullptr: it does not lock.
  const v1::LockRule* RuleFor(v1::TripCause cause) const;

  // Whether people may have `action_type` (in lower case) done while a lock is in force.
  bool IsSafeRemediation(absl::string_view action_type) const { return safe_remediations_.contains(action_type); }

  // Whether an action of `action_type` (in any case) is a remediation attempt although it names no episode.
  bool IsRemediation(absl::string_view action_type) const {
    return !remediation_actions_.empty() && remediation_actions_.contains(absl::AsciiStrToLower(action_type));
  }

  // Whether an action of `action_type` (in lower case) needs a checkpoint, because it can be undone, or people, because
  // it cannot.
  bool IsReversible(absl::string_view action_type) const { return reversible_actions_.contains(action_type); }
  bool IsIrreversible(absl::string_view action_type) const { return irreversible_actions_.contains(action_type); }

  // How many different people must approve an action, and how long after it was asked for they may.
  int approval_quorum() const { return approval_quorum_; }
  absl::Duration approval_validity() const { return approval_validity_; }

  // What the release of a lock over such a scope asks for; nullptr: the policy does not say.
  const v1::ReleaseRule* ReleaseRuleFor(v1::ScopeKind scope) const;

 private:
  struct Category {
    std::vector<const v1::Constraint*> constraints;
    const v1::RiskDefault* risk_default = nullptr;
  };
  // A prefix or keyword pattern of a category rule.
  struct Pattern {
    std::string text;
    // The bytes of `text`, one bit for each byte modulo 64: a text without one of them cannot contain it.
    uint64_t bytes = 0;
    bool prefix = false;
    int rule = 0;
  };

  void IndexCategoryRules();
  void IndexCategories();

  v1::PolicySet policy_;
  // The first rule that has the exact pattern.
  absl::flat_hash_map<std::string, int> exact_rules_;
  // In rule order.
  std::vector<Pattern> patterns_;
  absl::flat_hash_map<std::string, Category> categories_;
  absl::flat_hash_map<std::string, std::vector<Opposite>> conflicts_;
  absl::flat_hash_set<std::string> by_resource_;
  absl::flat_hash_set<std::string> redacted_keys_;
  const v1::RiskDefault* risk_default_ = nullptr;
  absl::flat_hash_set<std::string> safe_remediations_;
  absl::flat_hash_set<std::string> remediation_actions_;
  int approval_quorum_ = 1;
  absl::Duration approval_validity_ = kApprovalValidityMax;
  absl::flat_hash_set<std::string> reversible_actions_;
  absl::flat_hash_set<std::string> irreversible_actions_;
};

}  // namespace interlock::safety
