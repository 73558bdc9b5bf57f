// Random scripts.

#include <algorithm>
#include <functional>
#include <utility>

#include "core/base/time.h"
#include "tests/differential/make_action.h"
#include "tests/differential/make_outcome.h"
#include "tests/differential/make_policy.h"
#include "tests/differential/make_rollback.h"
#include "tests/differential/random.h"
#include "tests/differential/script.h"

namespace interlock::differential {
namespace {

// How many commands back a repeat reaches.
constexpr size_t kRepeatReach = 12;

class ScriptMaker {
 public:
  ScriptMaker(uint64_t seed, v1::TimeSource time_source) : random_(seed) {
    script_.setting.default_profile = random_.Pick({"reference", "tool_calling"});
    script_.setting.time_source = random_.Chance(75) ? v1::TIME_SOURCE_WALL : v1::TIME_SOURCE_REQUEST;
    if (time_source != v1::TIME_SOURCE_UNSPECIFIED) script_.setting.time_source = time_source;
    agent_count_ = 1 + random_.Below(3);
    tenant_count_ = 1 + random_.Below(3);
    lock_percent_ = random_.Pick({0u, 2u, 10u});
    again_percent_ = random_.Pick({0u, 20u, 60u});
    flood_percent_ = random_.Pick({0u, 0u, 0u, 0u, 10u});
    follow_percent_ = random_.Pick({0u, 30u, 60u});
    by_hand_percent_ = random_.Pick({14u, 14u, 60u});
    policies_first_ = random_.Chance(50);
    for (size_t i = 0; i < std::size(kMakers); ++i) {
      weights_.push_back(random_.Chance(15) ? 0 : 1 + random_.Below(kMakers[i].weight_max));
    }
    weights_[0] = std::max(weights_[0], 10u);
    // What is locked for good answers nothing more.
    weights_[3] = std::max(weights_[3], 8u);
  }

  Script Make(int command_count) {
    for (int i = 0; i < command_count; ++i) {
      MoveTime();
      Command command = {now_, Caller(), Next()};
      script_.commands.push_back(std::move(command));
    }
    return std::move(script_);
  }

 private:
  struct Maker {
    Request (ScriptMaker::*make)();
    uint32_t weight_max;
  };

  // Mostly it stands still; else it goes on a little, or to just before, at or just after the end of a window that
  // began with an earlier command.
  void MoveTime() {
    const uint32_t choice = random_.Below(100);
    if (choice < 50) return;
    if (choice < 80 || times_.empty()) {
      now_ += random_.Pick({absl::Nanoseconds(1), absl::Seconds(1), absl::Seconds(40), absl::Minutes(7)});
    } else {
      const absl::Time begin =
          times_[times_.size() - 1 - random_.Below(static_cast<uint32_t>(std::min<size_t>(40, times_.size())))];
      const absl::Duration window =
          random_.Pick({absl::Seconds(1), absl::Minutes(1), absl::Minutes(5), absl::Minutes(10), absl::Minutes(15),
                        absl::Hours(1), absl::Hours(1), absl::Hours(24), absl::Hours(24), absl::Hours(24 * 7)});
      const absl::Duration offset = random_.Pick({absl::Nanoseconds(-1), absl::ZeroDuration(), absl::Nanoseconds(1)});
      now_ = std::max(now_, begin + window + offset);
    }
    times_.push_back(now_);
  }

  v1::Principal Caller() {
    v1::Principal caller;
    caller.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    caller.set_id(random_.Pick({"alice", "alice", "bob", "carol", "dave"}));
    if (random_.Chance(10)) {
      caller.set_kind(random_.Pick({v1::PRINCIPAL_KIND_AGENT, v1::PRINCIPAL_KIND_SERVICE, v1::PRINCIPAL_KIND_WORKER}));
      caller.set_id(Agent());
    }
    return caller;
  }

  Request Next() {
    if (!script_.commands.empty() && random_.Chance(6)) {
      const size_t reach = std::min(kRepeatReach, script_.commands.size());
      return Repeat(
          script_.commands[script_.commands.size() - 1 - random_.Below(static_cast<uint32_t>(reach))].request);
    }
    if (policies_first_ && script_.commands.size() < tenant_count_) return Policy();
    // What was just asked is decided, and what was just decided is proposed again.
    if (!script_.commands.empty() && random_.Chance(follow_percent_)) {
      const Request& last = script_.commands.back().request;
      if (std::holds_alternative<v1::ArbitrateRequest>(last)) return Decide();
      if (std::holds_alternative<ProposeAgain>(last)) return Decide();
      if (std::holds_alternative<DecideApproval>(last)) return Again();
      if (std::holds_alternative<v1::CreateCheckpointRequest>(last)) return Act();
      if (std::holds_alternative<GoBack>(last) || std::holds_alternative<TellOfRollback>(last)) return Tell();
    }
    uint32_t total = 0;
    for (const uint32_t weight : weights_) total += weight;
    uint32_t at = random_.Below(total);
    size_t maker = 0;
    while (at >= weights_[maker]) at -= weights_[maker++];
    return (this->*kMakers[maker].make)();
  }

  // The same again, or the same id for something else.
  Request Repeat(Request request) {
    if (!random_.Chance(25)) return request;
    if (auto* arbitrate = std::get_if<v1::ArbitrateRequest>(&request))
      arbitrate->mutable_action()->set_action_id("other");
    if (auto* again = std::get_if<ProposeAgain>(&request)) again->request.mutable_action()->set_action_id("other");
    if (auto* outcome = std::get_if<v1::ReportActionOutcomeRequest>(&request)) outcome->set_detail("otherwise");
    if (auto* decide = std::get_if<DecideApproval>(&request)) decide->request.set_comment("another comment");
    MakeOtherRollback(request);
    if (auto* engage = std::get_if<v1::EngageLockRequest>(&request)) engage->set_reason("another reason");
    if (auto* report = std::get_if<v1::ReportSnapshotRequest>(&request))
      report->mutable_snapshot()->set_status(v1::AGENT_STATUS_IDLE);
    return request;
  }

  std::string RequestId() { return random_.Chance(50) ? "" : "r" + std::to_string(next_request_id_++); }
  std::string Tenant() { return "t" + std::to_string(random_.Below(tenant_count_)); }
  std::string Agent() { return "a" + std::to_string(random_.Below(agent_count_)); }
  std::string Resource() { return random_.Pick({"", "", "r1", "r2"}); }

  void MakeAction(v1::Action& action) {
    action.set_tenant_id(Tenant());
    action.set_agent_id(Agent());
    FillAction(by_hand_percent_, random_, action);
    if (script_.setting.time_source == v1::TIME_SOURCE_REQUEST && random_.Chance(80)) {
      *action.mutable_request_time() = ToProto(now_);
    }
  }

  Request Arbitrate() {
    ++asked_count_;
    v1::ArbitrateRequest request;
    if (last_action_.agent_id().empty() || !random_.Chance(again_percent_)) {
      last_action_.Clear();
      MakeAction(last_action_);
    }
    *request.mutable_action() = last_action_;
    request.set_request_id(RequestId());
    return request;
  }

  Request Explain() {
    v1::ExplainActionRequest request;
    MakeAction(*request.mutable_action());
    return request;
  }

  Request Engage() {
    v1::EngageLockRequest request;
    v1::LockScope& scope = *request.mutable_scope();
    scope.set_kind(random_.Pick({v1::SCOPE_KIND_AGENT, v1::SCOPE_KIND_AGENT, v1::SCOPE_KIND_CATEGORY,
                                 v1::SCOPE_KIND_RESOURCE, v1::SCOPE_KIND_RESOURCE, v1::SCOPE_KIND_TENANT}));
    if (random_.Chance(lock_percent_)) scope.set_kind(v1::SCOPE_KIND_FLEET);
    request.set_tenant_id(Tenant());
    if (scope.kind() == v1::SCOPE_KIND_FLEET) request.clear_tenant_id();
    if (scope.kind() == v1::SCOPE_KIND_AGENT) scope.set_id(Agent());
    if (scope.kind() == v1::SCOPE_KIND_CATEGORY) scope.set_id(random_.Pick({"seo", "content_modification", "read"}));
    if (scope.kind() == v1::SCOPE_KIND_RESOURCE) scope.set_id(random_.Pick({"r1", "r2"}));
    if (scope.kind() == v1::SCOPE_KIND_TENANT) {
      const uint32_t form = random_.Below(3);
      if (form > 0) scope.set_id(request.tenant_id());
      if (form == 1) request.clear_tenant_id();
    }
    request.set_reason("stop");
    if (random_.Chance(20)) {
      request.set_kind(v1::LOCK_KIND_MAINTENANCE);
      const absl::Duration lengths[] = {absl::ZeroDuration(), absl::Seconds(1), absl::Minutes(10), absl::Hours(24),
                                        absl::Hours(24) + absl::Nanoseconds(1)};
      *request.mutable_end_time() = ToProto(now_ + lengths[random_.Below(5)]);
    }
    request.set_request_id(RequestId());
    return request;
  }

  Request Acknowledge() {
    AcknowledgeLock acknowledge;
    acknowledge.pick = random_.Below(100);
    acknowledge.version_offset = random_.Chance(10) ? random_.Pick({-1, 1}) : 0;
    acknowledge.request.set_reason(random_.Pick({"", "looking"}));
    acknowledge.request.set_request_id(RequestId());
    return acknowledge;
  }

  Request Release() {
    ReleaseLock release;
    release.pick = random_.Below(100);
    release.version_offset = random_.Chance(10) ? random_.Pick({-1, 1}) : 0;
    release.request.set_reason("seen");
    release.request.set_request_id(RequestId());
    return release;
  }

  // Mostly the newest, so that what is asked is soon decided and then used.
  uint32_t Back() { return random_.Chance(60) ? 0 : random_.Below(6); }

  Request Decide() {
    DecideApproval decide;
    decide.back = Back();
    decide.version_offset = random_.Chance(10) ? random_.Pick({-1, 1}) : 0;
    if (random_.Chance(5)) decide.request.set_tenant_id(Tenant());
    decide.request.set_approve(random_.Chance(85));
    decide.request.set_comment(random_.Pick({"", "read"}));
    decide.request.set_request_id(RequestId());
    return decide;
  }

  // What is not the same as it was when people were asked.
  void MakeOther(v1::Action& action) {
    if (script_.setting.time_source == v1::TIME_SOURCE_REQUEST) *action.mutable_request_time() = ToProto(now_);
    if (random_.Chance(by_hand_percent_)) action.set_autonomous_modification(false);
    if (random_.Chance(15)) action.set_risk_score(random_.Pick({0.1, 0.5, 0.9}));
    if (random_.Chance(5)) action.set_recommended_tier(random_.Pick({0, 2, 3}));
    switch (random_.Below(30)) {
      case 0:
        action.set_tenant_id(Tenant());
        return;
      case 1:
        action.set_agent_id(Agent());
        return;
      case 2:
        action.set_action_type(random_.Pick({"write_blog", "WRITE_BLOG", "edit_page"}));
        return;
      case 3:
        action.set_target_resource("r1");
        return;
      case 4:
        action.set_category("content");
        return;
      case 5:
        action.mutable_parameters();
        return;
      case 6:
        (*action.mutable_parameters()->mutable_fields())["n"].set_number_value(2);
        return;
      default:
        return;
    }
  }

  template <typename Again>
  Again MakeAgain() {
    Again again;
    again.back = Back();
    again.is_over = random_.Chance(10);
    again.names_it = random_.Chance(80);
    if (random_.Chance(10)) {
      again.from_end = random_.Pick({absl::Nanoseconds(-1), absl::ZeroDuration(), absl::Nanoseconds(1)});
    }
    MakeOther(*again.request.mutable_action());
    MakeAction(again.otherwise);
    return again;
  }

  Request Again() {
    ProposeAgain again = MakeAgain<ProposeAgain>();
    again.request.set_request_id(RequestId());
    return again;
  }

  Request Outcome() {
    v1::ReportActionOutcomeRequest request = MakeOutcome(asked_count_, random_);
    request.set_tenant_id(Tenant());
    request.set_request_id(RequestId());
    return request;
  }

  Request ExplainIt() { return MakeAgain<ExplainAgain>(); }

  Request Save() {
    v1::CreateCheckpointRequest request = MakeSave(random_);
    request.set_tenant_id(Tenant());
    request.set_agent_id(Agent());
    request.set_target_resource(Resource());
    request.set_request_id(RequestId());
    return request;
  }

  template <typename With>
  With MakeWith() {
    With with;
    with.back = Back();
    v1::Action& action = *with.request.mutable_action();
    action.set_risk_score(random_.Pick({0.0, 0.1}));
    action.set_impact_score(random_.Pick({0.0, 0.1}));
    MakeOther(action);
    if (random_.Chance(10)) {
      with.from_end = random_.Pick({absl::Nanoseconds(-1), absl::ZeroDuration(), absl::Nanoseconds(1)});
    }
    return with;
  }

  Request Act() {
    ActWith act = MakeWith<ActWith>();
    act.request.set_request_id(RequestId());
    return act;
  }

  Request ExplainAct() { return MakeWith<ExplainWith>(); }

  Request Undo() {
    GoBack go_back = MakeGoBack(random_);
    go_back.back = Back();
    go_back.request.set_request_id(RequestId());
    // The server asks for one.
    if (go_back.request.has_latest()) go_back.request.set_request_id("r" + std::to_string(next_request_id_++));
    return go_back;
  }

  Request Tell() {
    TellOfRollback tell = MakeTell(random_);
    tell.back = Back();
    tell.request.set_request_id(RequestId());
    return tell;
  }

  Request Policy() {
    UpdatePolicy update;
    *update.request.mutable_policy() = MakePolicy(Tenant(), random_);
    update.etag = random_.Chance(40) ? random_.Pick({Etag::kCurrent, Etag::kCurrent, Etag::kOld}) : Etag::kNone;
    if (random_.Chance(15)) {
      update.is_valid = false;
      Spoil(random_, *update.request.mutable_policy());
    }
    update.request.set_reason(random_.Pick({"", "asked for"}));
    update.request.set_request_id(RequestId());
    return update;
  }

  Request PolicyBack() { return MakePolicyRollback(Tenant(), RequestId(), random_); }

  Request Snapshot() {
    v1::ReportSnapshotRequest request;
    v1::Snapshot& snapshot = *request.mutable_snapshot();
    snapshot.set_tenant_id(Tenant());
    snapshot.set_agent_id(Agent());
    snapshot.set_status(v1::AGENT_STATUS_ACTIVE);
    // A run of alike reports, so that findings come in a row.
    if (random_.Chance(30)) mood_ = random_.Below(4);
    const double score = std::initializer_list<double>{0.2, 0.5, 0.7, 1.0}.begin()[mood_];
    const auto near = [&] { return random_.Chance(70) ? score : random_.Pick({0.25, 0.35, 0.55, 0.65, 0.8}); };
    snapshot.set_total_actions(random_.Pick({0, 3, 40, 40, 1000}));
    snapshot.set_successful_actions(static_cast<int64_t>(static_cast<double>(snapshot.total_actions()) * score));
    snapshot.set_failed_actions(snapshot.total_actions() - snapshot.successful_actions());
    if (random_.Chance(60)) snapshot.set_success_rate(near());
    if (random_.Chance(60)) snapshot.set_efficiency_score(near());
    if (random_.Chance(50)) snapshot.set_market_impact_score(near());
    if (random_.Chance(20)) snapshot.set_user_satisfaction_score(near());
    if (random_.Chance(60))
      snapshot.mutable_average_response_time()->set_seconds(random_.Pick({1, 29, 45, 60, 90, 121}));
    if (snapshot.has_average_response_time() && random_.Chance(20))
      snapshot.mutable_average_response_time()->set_nanos(1);
    MaybeSetTime([&] { return snapshot.mutable_observe_time(); });
    request.set_request_id(RequestId());
    return request;
  }

  Request Points() {
    v1::RecordDataPointsRequest request;
    request.set_tenant_id(Tenant());
    request.set_agent_id(Agent());
    if (random_.Chance(30)) mood_ = random_.Below(4);
    const uint32_t count = random_.Chance(flood_percent_) ? 600 : 1 + random_.Below(6);
    const auto flood = static_cast<v1::Metric>(1 + random_.Below(2));
    for (uint32_t i = 0; i < count; ++i) {
      v1::DataPoint& point = *request.add_points();
      point.set_metric(count > 10 ? flood : static_cast<v1::Metric>(1 + random_.Below(6)));
      const bool is_ratio = point.metric() != v1::METRIC_RESPONSE_TIME && point.metric() != v1::METRIC_RESOURCE_USAGE;
      point.set_value(is_ratio
                          ? random_.Chance(25 * mood_) ? random_.Pick({0.51, 0.75, 1.0}) : random_.Pick({0.0, 0.3, 0.5})
                          : random_.Pick({0.5, 30.0, 61.0, 95.0, 200.0}));
      if (point.metric() == v1::METRIC_RESOURCE_USAGE && random_.Chance(70)) {
        point.mutable_context()->set_cpu_usage(random_.Below(100));
        if (random_.Chance(50)) point.mutable_context()->set_memory_usage(random_.Below(100));
        point.mutable_context()->set_api_calls(random_.Below(9));
        point.mutable_context()->mutable_processing_time()->set_nanos(static_cast<int32_t>(random_.Below(1000)));
      }
      MaybeSetTime([&] { return point.mutable_observe_time(); });
    }
    request.set_request_id(RequestId());
    return request;
  }

  // Around now, or where a point just or just no longer counts.
  void MaybeSetTime(const std::function<google::protobuf::Timestamp*()>& field) {
    if (random_.Chance(40)) return;
    absl::Time time = now_ - random_.Pick({absl::ZeroDuration(), absl::Seconds(1), absl::Hours(1), absl::Hours(23)});
    if (random_.Chance(15)) {
      const absl::Duration away = random_.Pick({absl::Hours(-24), absl::Minutes(5)});
      time = now_ + away + random_.Pick({absl::Nanoseconds(-1), absl::ZeroDuration(), absl::Nanoseconds(1)});
      // So far ahead is refused; with the clock of requests nothing is ahead.
      if (away > absl::ZeroDuration() && script_.setting.time_source == v1::TIME_SOURCE_REQUEST) time = now_;
    }
    *field() = ToProto(time);
  }

  Request Create() {
    v1::CreateTaskRequest request;
    v1::Task& task = *request.mutable_task();
    task.set_tenant_id(Tenant());
    task.set_type(random_.Chance(5) ? "unknown" : "oauth_token");
    task.set_target(random_.Pick({"gsc", "bing", "wix"}));
    if (random_.Chance(50)) task.mutable_interval()->set_seconds(random_.Pick({60, 3600, 86400}));
    if (random_.Chance(50))
      *task.mutable_next_run_time() = ToProto(now_ + random_.Pick({absl::Hours(-1), absl::Hours(1)}));
    request.set_request_id(RequestId());
    return request;
  }

  Request Trigger() {
    TriggerTask trigger;
    trigger.pick = random_.Below(100);
    trigger.request.set_request_id(RequestId());
    return trigger;
  }

  Request End() {
    EndAttempt end;
    end.back = random_.Chance(80) ? random_.Below(2) : random_.Below(6);
    end.success = random_.Chance(30);
    end.failure_reason = random_.Pick({v1::FAILURE_REASON_UNSPECIFIED, v1::FAILURE_REASON_AUTH_ERROR});
    end.error_message = random_.Pick({"", " timeout ", "invalid_grant", "quota", "503"});
    if (random_.Chance(10)) end.error_message = std::string(150, 'x');
    return end;
  }

  Request Agent1() {
    v1::GetAgentRequest request;
    request.set_tenant_id(Tenant());
    request.set_agent_id(Agent());
    return request;
  }

  Request Stats() {
    v1::GetFleetStatsRequest request;
    if (random_.Chance(50)) request.set_tenant_id(Tenant());
    return request;
  }

  Request Info() { return v1::GetServerInfoRequest(); }
  Request Stop() { return Restart(); }

  static constexpr size_t kMakerCount = 25;
  static const Maker kMakers[kMakerCount];

  Random random_;
  Script script_;
  // About so many decisions were made.
  uint32_t asked_count_ = 0;
  uint32_t agent_count_;
  uint32_t tenant_count_;
  // How often a lock is the fleet's, an action the same as the one before, a report larger than half a window, a step
  // on an approval's way followed by the next, an action not autonomous.
  uint32_t lock_percent_;
  uint32_t again_percent_;
  uint32_t flood_percent_;
  uint32_t follow_percent_;
  uint32_t by_hand_percent_;
  // The script begins with a policy for each tenant.
  bool policies_first_;
  std::vector<uint32_t> weights_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  std::vector<absl::Time> times_;
  int next_request_id_ = 0;
  uint32_t mood_ = 3;
  v1::Action last_action_;
};

const ScriptMaker::Maker ScriptMaker::kMakers[] = {
    {&ScriptMaker::Arbitrate, 40}, {&ScriptMaker::Explain, 5},     {&ScriptMaker::Engage, 4},
    {&ScriptMaker::Release, 20},   {&ScriptMaker::Acknowledge, 8}, {&ScriptMaker::Policy, 4},
    {&ScriptMaker::Snapshot, 12},  {&ScriptMaker::Points, 8},      {&ScriptMaker::Create, 3},
    {&ScriptMaker::Trigger, 4},    {&ScriptMaker::End, 10},        {&ScriptMaker::Agent1, 4},
    {&ScriptMaker::Stats, 2},      {&ScriptMaker::Info, 2},        {&ScriptMaker::Stop, 3},
    {&ScriptMaker::Decide, 25},    {&ScriptMaker::Again, 20},      {&ScriptMaker::ExplainIt, 10},
    {&ScriptMaker::Outcome, 10},   {&ScriptMaker::Save, 14},       {&ScriptMaker::Act, 14},
    {&ScriptMaker::ExplainAct, 4}, {&ScriptMaker::Undo, 14},       {&ScriptMaker::Tell, 16},
    {&ScriptMaker::PolicyBack, 4},
};

}  // namespace

Script MakeScript(uint64_t seed, int command_count, v1::TimeSource time_source) {
  return ScriptMaker(seed, time_source).Make(command_count);
}

}  // namespace interlock::differential
