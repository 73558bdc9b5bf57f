#include "core/policy/profiles.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "google/protobuf/text_format.h"

namespace interlock::policy {
namespace {

// Both profiles report and judge a metric by the same levels.
constexpr char kLevels[] = R"policy(
  targets { success_rate: 0.85 response_time: 30 efficiency_score: 0.75 market_impact: 0.60 }
  alert_thresholds {
    success_rate: 0.70
    response_time: 60
    efficiency_score: 0.50
    market_impact: 0.30
  }
)policy";

constexpr char kReference[] = R"policy(
  profile: "reference"
  tiers {
    tier: 1
    trigger_metrics: [ METRIC_SUCCESS_RATE, METRIC_EFFICIENCY_SCORE, METRIC_RESPONSE_TIME ]
    thresholds { success_rate: 0.80 efficiency_score: 0.65 response_time: 45 }
    max_iterations: 3
    lock_criteria { min_confidence: 0.85 consecutive_failures: 6 }
  }
  tiers {
    tier: 2
    trigger_metrics: [
      METRIC_SUCCESS_RATE, METRIC_EFFICIENCY_SCORE, METRIC_RESPONSE_TIME, METRIC_MARKET_IMPACT
    ]
    thresholds { success_rate: 0.70 efficiency_score: 0.50 response_time: 60 market_impact: 0.35 }
    max_iterations: 2
    lock_criteria { min_confidence: 0.75 consecutive_failures: 4 }
  }
  tiers {
    tier: 3
    trigger_metrics: [
      METRIC_SUCCESS_RATE, METRIC_EFFICIENCY_SCORE, METRIC_RESPONSE_TIME, METRIC_MARKET_IMPACT
    ]
    thresholds { success_rate: 0.55 efficiency_score: 0.35 response_time: 90 market_impact: 0.25 }
    max_iterations: 1
    lock_criteria { min_confidence: 0.65 consecutive_failures: 3 }
  }
  constraints {
    constraint_id: "content_modification_limit"
    categories: "content_modification"
    risk_threshold: 0.7
    auto_approval_threshold: 0.3
    daily_limit: 50
    hourly_limit: 10
  }
  constraints {
    constraint_id: "high_risk_approval_required"
    categories: [ "strategy_change", "system_configuration" ]
    risk_threshold: 0.8
    approval_required: true
    auto_approval_threshold: 0.2
  }
  constraints {
    constraint_id: "competitor_response_cooldown"
    categories: "competitor_response"
    risk_threshold: 0.6
    auto_approval_threshold: 0.4
    daily_limit: 20
    hourly_limit: 5
  }
  constraints {
    constraint_id: "seo_optimization_safety"
    categories: "seo_optimization"
    risk_threshold: 0.5
    auto_approval_threshold: 0.3
    daily_limit: 30
    hourly_limit: 8
  }
  constraints {
    constraint_id: "social_amplification_limits"
    categories: "social_amplification"
    risk_threshold: 0.6
    auto_approval_threshold: 0.4
    daily_limit: 25
    hourly_limit: 6
  }
  category_rules {
    match: MATCH_KIND_KEYWORD
    patterns: [ "content", "blog", "article", "post" ]
    category: "content_modification"
  }
  category_rules {
    match: MATCH_KIND_KEYWORD
    patterns: [ "seo", "meta", "keyword", "optimization" ]
    category: "seo_optimization"
  }
  category_rules {
    match: MATCH_KIND_KEYWORD
    patterns: [ "competitor", "competitive", "response" ]
    category: "competitor_response"
  }
  category_rules {
    match: MATCH_KIND_KEYWORD
    patterns: [ "social", "share", "amplify", "distribute" ]
    category: "social_amplification"
  }
  category_rules {
    match: MATCH_KIND_KEYWORD
    patterns: [ "strategy", "plan", "approach" ]
    category: "strategy_change"
  }
  category_rules {
    match: MATCH_KIND_KEYWORD
    patterns: [ "config", "setting", "system" ]
    category: "system_configuration"
  }
  default_category: "content_modification"
  risk_defaults { risk_score: 0.5 impact_score: 0.5 }
  conflict_pairs { first: "optimize_content" second: "delete_content" }
  conflict_pairs { first: "increase_keywords" second: "decrease_keywords" }
  conflict_pairs { first: "enable_feature" second: "disable_feature" }
  pattern_rules {
    similar_actions_max: 10
    frequency_max: 100
    category_hourly_max: 50
    category_daily_max: 200
  }
  lock_rules { cause: TRIP_CAUSE_LOCK_CRITERIA scope: SCOPE_KIND_TENANT }
  lock_rules { cause: TRIP_CAUSE_ARBITRATION scope: SCOPE_KIND_TENANT }
)policy";

// The tiers leave response time and market impact out: a tool or a model that answers slowly says
// nothing about the agent's conduct, and a tool-calling agent has no market impact.
//
// Tool names decide the class. Whole names come first, because they know better than a prefix
// ("send_money" cannot be taken back, other things that are sent can at least be followed by a
// correction). What runs arbitrary commands may do anything and is taken for irreversible. A name
// that no rule knows is a write. No class makes a high risk by itself (0.6 * risk + 0.4 * impact <
// 0.6), so that a call without scores is stopped by its pattern only; a category that the agent
// names itself counts as the worst.
//
// repeated_call: of more than 1,000 recorded runs that did what they should, about one in a hundred
// made the same call more than three times in a row, and those that did were going in circles.
// call_rate: no such run made more than 33 calls in all, and the longest of them took 23 seconds;
// only a few short ones kept a pace of 120 a minute, for six seconds. 120 calls within one minute
// leave room for three of the longest one after the other, but a loop that does not wait for a
// model gets there within seconds.
constexpr char kToolCalling[] = R"policy(
  profile: "tool_calling"
  tiers {
    tier: 1
    trigger_metrics: [ METRIC_SUCCESS_RATE, METRIC_EFFICIENCY_SCORE ]
    thresholds { success_rate: 0.80 efficiency_score: 0.65 }
    max_iterations: 3
    lock_criteria { min_confidence: 0.85 consecutive_failures: 6 }
  }
  tiers {
    tier: 2
    trigger_metrics: [ METRIC_SUCCESS_RATE, METRIC_EFFICIENCY_SCORE ]
    thresholds { success_rate: 0.70 efficiency_score: 0.50 }
    max_iterations: 2
    lock_criteria { min_confidence: 0.75 consecutive_failures: 4 }
  }
  tiers {
    tier: 3
    trigger_metrics: [ METRIC_SUCCESS_RATE, METRIC_EFFICIENCY_SCORE ]
    thresholds { success_rate: 0.55 efficiency_score: 0.35 }
    max_iterations: 1
    lock_criteria { min_confidence: 0.65 consecutive_failures: 3 }
  }
  constraints { constraint_id: "read_risk_limit" categories: "read" risk_threshold: 0.7 }
  constraints { constraint_id: "write_risk_limit" categories: "write" risk_threshold: 0.7 }
  constraints { constraint_id: "outbound_risk_limit" categories: "outbound" risk_threshold: 0.7 }
  constraints {
    constraint_id: "irreversible_risk_limit"
    categories: "irreversible"
    risk_threshold: 0.7
  }
  category_rules {
    match: MATCH_KIND_EXACT
    patterns: [
      "make_payment", "make_transfer", "send_money", "send_payment", "transfer_money", "transfer_funds",
      "schedule_payment", "schedule_transaction", "update_scheduled_transaction", "place_order", "checkout",
      "check_out", "change_password", "reset_password", "set_password", "update_password", "delete", "drop",
      "remove", "rm", "bash", "exec", "execute_command", "run_command", "run_shell_command", "shell", "terminal"
    ]
    category: "irreversible"
  }
  category_rules {
    match: MATCH_KIND_EXACT
    patterns: [
      "add_calendar_event_participants", "add_user_to_channel", "email", "post", "publish", "reply", "send"
    ]
    category: "outbound"
  }
  category_rules {
    match: MATCH_KIND_EXACT
    patterns: [
      "browse", "calculate", "fetch", "find", "get", "glob", "grep", "list", "query", "read", "run_speed_test",
      "search", "think", "view", "web_search"
    ]
    category: "read"
  }
  category_rules {
    match: MATCH_KIND_PREFIX
    patterns: [ "find_and_", "find_or_create", "get_or_create", "search_and_" ]
    category: "write"
  }
  category_rules {
    match: MATCH_KIND_PREFIX
    patterns: [
      "calculate_", "can_", "check_", "compare_", "count_", "describe_", "estimate_", "fetch_", "find_", "get_",
      "has_", "inspect_", "is_", "list_", "look_up_", "lookup_", "preview_", "query_", "read_", "search_", "show_",
      "validate_", "verify_", "view_"
    ]
    category: "read"
  }
  category_rules {
    match: MATCH_KIND_PREFIX
    patterns: [
      "broadcast_", "email_", "forward_", "invite_", "message_", "notify_", "post_", "publish_", "reply_", "send_",
      "share_", "transfer_", "tweet_", "upload_"
    ]
    category: "outbound"
  }
  category_rules {
    match: MATCH_KIND_PREFIX
    patterns: [
      "buy_", "cancel_", "delete_", "destroy_", "drop_", "erase_", "kill_", "pay_", "purchase_", "purge_",
      "refund_", "remove_", "revoke_", "shut_down_", "shutdown_", "terminate_", "truncate_", "uninstall_", "wipe_",
      "wire_", "withdraw_"
    ]
    category: "irreversible"
  }
  default_category: "write"
  risk_defaults { category: "read" risk_score: 0.1 impact_score: 0.1 }
  risk_defaults { category: "write" risk_score: 0.3 impact_score: 0.3 }
  risk_defaults { category: "outbound" risk_score: 0.4 impact_score: 0.5 }
  risk_defaults { category: "irreversible" risk_score: 0.5 impact_score: 0.6 }
  risk_defaults { risk_score: 0.5 impact_score: 0.6 }
  pattern_rules {
    repeated_call {
      max_calls: 3
      window { seconds: 600 }
    }
    call_rate {
      max_calls: 120
      window { seconds: 60 }
    }
  }
  episode_rule { reopen_window { seconds: 300 } }
  lock_rules { cause: TRIP_CAUSE_LOCK_CRITERIA scope: SCOPE_KIND_AGENT }
  lock_rules { cause: TRIP_CAUSE_ARBITRATION scope: SCOPE_KIND_AGENT }
  release_rules {
    scope: SCOPE_KIND_FLEET
    acknowledgement_required: true
    quorum: 2
    probation { seconds: 1800 }
  }
  release_rules {
    scope: SCOPE_KIND_TENANT
    acknowledgement_required: true
    quorum: 2
    probation { seconds: 1800 }
  }
  release_rules {
    scope: SCOPE_KIND_CATEGORY
    acknowledgement_required: true
    quorum: 1
    probation { seconds: 900 }
  }
  release_rules {
    scope: SCOPE_KIND_AGENT
    acknowledgement_required: true
    quorum: 1
    probation { seconds: 900 }
  }
  release_rules {
    scope: SCOPE_KIND_RESOURCE
    acknowledgement_required: true
    quorum: 1
    probation { seconds: 900 }
  }
)policy";

using Profiles = std::map<std::string, v1::PolicySet, std::less<>>;

const Profiles& AllProfiles() {
  static const Profiles* const profiles = [] {
    auto* built = new Profiles;
    for (const char* text : {kReference, kToolCalling}) {
      v1::PolicySet profile;
      INTERLOCK_CHECK(google::protobuf::TextFormat::ParseFromString(absl::StrCat(text, kLevels), &profile));
      const std::string name = profile.profile();
      built->emplace(name, std::move(profile));
    }
    return built;
  }();
  return *profiles;
}

}  // namespace

const v1::PolicySet* FindProfile(absl::string_view name) {
  const Profiles& profiles = AllProfiles();
  const auto profile = profiles.find(name);
  return profile == profiles.end() ? nullptr : &profile->second;
}

std::vector<std::string> ProfileNames() {
  std::vector<std::string> names;
  for (const auto& [name, profile] : AllProfiles()) names.push_back(name);
  return names;
}

}  // namespace interlock::policy
