#include "core/safety/compiled_policy.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "core/base/time.h"

namespace interlock::safety {
namespace {

// One bit for each byte that occurs, modulo 64.
uint64_t BytesOf(absl::string_view text) {
  uint64_t bytes = 0;
  for (const char c : text) bytes |= uint64_t{1} << (static_cast<unsigned char>(c) % 64);
  return bytes;
}

}  // namespace

CompiledPolicy::CompiledPolicy(v1::PolicySet policy) : policy_(std::move(policy)) {
  IndexCategoryRules();
  IndexCategories();
  for (const v1::ConflictPair& pair : policy_.conflict_pairs()) {
    conflicts_[pair.first()].push_back({pair.second(), pair.same_resource()});
    if (pair.first() != pair.second()) conflicts_[pair.second()].push_back({pair.first(), pair.same_resource()});
    if (pair.same_resource()) by_resource_.insert({pair.first(), pair.second()});
  }
  redacted_keys_.insert(policy_.redacted_keys().begin(), policy_.redacted_keys().end());
  remediation_actions_.insert(policy_.remediation_actions().begin(), policy_.remediation_actions().end());
  safe_remediations_.insert(policy_.safe_remediations().begin(), policy_.safe_remediations().end());
  const v1::ApprovalRule& rule = policy_.approval_rule();
  if (rule.quorum() > 0) approval_quorum_ = rule.quorum();
  if (rule.has_validity()) approval_validity_ = FromProto(rule.validity());
  reversible_actions_.insert(policy_.reversible_actions().begin(), policy_.reversible_actions().end());
  irreversible_actions_.insert(policy_.irreversible_actions().begin(), policy_.irreversible_actions().end());
}

void CompiledPolicy::IndexCategoryRules() {
  for (int rule = 0; rule < policy_.category_rules_size(); ++rule) {
    const v1::CategoryRule& category_rule = policy_.category_rules(rule);
    for (const std::string& pattern : category_rule.patterns()) {
      std::string text = absl::AsciiStrToLower(pattern);
      if (category_rule.match() == v1::MATCH_KIND_EXACT) {
        exact_rules_.try_emplace(std::move(text), rule);
        continue;
      }
      const uint64_t bytes = BytesOf(text);
      const bool prefix = category_rule.match() == v1::MATCH_KIND_PREFIX;
      patterns_.push_back({std::move(text), bytes, prefix, rule});
    }
  }
}

void CompiledPolicy::IndexCategories() {
  categories_[policy_.default_category()];
  for (const v1::CategoryRule& rule : policy_.category_rules()) categories_[rule.category()];
  for (const v1::Constraint& constraint : policy_.constraints()) {
    for (const std::string& category : constraint.categories()) {
      std::vector<const v1::Constraint*>& constraints = categories_[category].constraints;
      // A constraint that names a category twice still is one constraint.
      if (constraints.empty() || constraints.back() != &constraint) constraints.push_back(&constraint);
    }
  }
  for (const v1::RiskDefault& risk_default : policy_.risk_defaults()) {
    if (risk_default.category().empty()) {
      risk_default_ = &risk_default;
    } else {
      categories_[risk_default.category()].risk_default = &risk_default;
    }
  }
}

const std::string& CompiledPolicy::CategoryOf(absl::string_view action_type) const {
  const auto exact = exact_rules_.find(action_type);
  int rule = exact == exact_rules_.end() ? policy_.category_rules_size() : exact->second;
  const uint64_t bytes = BytesOf(action_type);
  for (const Pattern& pattern : patterns_) {
    if (pattern.rule >= rule) break;
    if ((pattern.bytes & ~bytes) != 0) continue;
    if (pattern.prefix ? absl::StartsWith(action_type, pattern.text) : absl::StrContains(action_type, pattern.text)) {
      rule = pattern.rule;
      break;
    }
  }
  return rule == policy_.category_rules_size() ? policy_.default_category() : policy_.category_rules(rule).category();
}

const std::vector<const v1::Constraint*>& CompiledPolicy::ConstraintsFor(absl::string_view category) const {
  static const std::vector<const v1::Constraint*> kNone;
  const auto found = categories_.find(category);
  return found == categories_.end() ? kNone : found->second.constraints;
}

const v1::RiskDefault* CompiledPolicy::RiskDefaultFor(absl::string_view category) const {
  const auto found = categories_.find(category);
  return found == categories_.end() || found->second.risk_default == nullptr ? risk_default_
                                                                             : found->second.risk_default;
}

const std::vector<Opposite>& CompiledPolicy::ConflictsOf(absl::string_view action_type) const {
  static const std::vector<Opposite> kNone;
  const auto found = conflicts_.find(action_type);
  return found == conflicts_.end() ? kNone : found->second;
}

const v1::LockRule* CompiledPolicy::RuleFor(v1::TripCause cause) const {
  for (const v1::LockRule& rule : policy_.lock_rules()) {
    if (rule.cause() == cause) return &rule;
  }
  return nullptr;
}

const v1::ReleaseRule* CompiledPolicy::ReleaseRuleFor(v1::ScopeKind scope) const {
  for (const v1::ReleaseRule& rule : policy_.release_rules()) {
    if (rule.scope() == scope) return &rule;
  }
  return nullptr;
}

}  // namespace interlock::safety
