#include "tests/crash/power/script.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "interlock/v1/principal.pb.h"
#include "tests/support/requests.h"

namespace interlock::crash {
namespace {

constexpr int kAgents = 3;
constexpr int kWorksPerBatchMax = 4;
constexpr size_t kLocksInForceMax = 3;
constexpr size_t kTasksMax = 3;
constexpr size_t kLargeSecretBytes = size_t{6} << 20;

const v1::Principal& Caller() {
  static const auto* const caller = [] {
    auto* principal = new v1::Principal;
    principal->set_kind(v1::PRINCIPAL_KIND_HUMAN);
    principal->set_id("operator");
    return principal;
  }();
  return *caller;
}

// CreateTaskCommand with the request that it refers to.
struct OwnedCreateTask {
  v1::CreateTaskRequest request;
};

template <typename Command>
auto ApplyTo(Engine& engine, const Command& command, const CommandContext& context, Effects& effects) {
  return engine.Apply(command, context, effects);
}
auto ApplyTo(Engine& engine, const OwnedCreateTask& command, const CommandContext& context, Effects& effects) {
  return engine.Apply(CreateTaskCommand{command.request, "sealed", "digest"}, context, effects);
}

// Applies a command and keeps what is to be done when its reply leaves.
class ScriptWork final : public server::Work {
 public:
  using OnRelease = std::function<void()>;
  using Application = std::function<OnRelease(Engine&, const CommandContext&, Effects&)>;

  explicit ScriptWork(Application application) : application_(std::move(application)) {}

  size_t SizeBytes() const override { return 1; }
  void Apply(Engine& engine, absl::Time now, Effects& effects) override {
    on_release_ = application_(engine, CommandContext{Caller(), now}, effects);
  }
  void Release() override {
    if (on_release_ != nullptr) on_release_();
  }
  void Fail(const absl::Status&) override {}

 private:
  const Application application_;
  OnRelease on_release_;
};

}  // namespace

template <typename Command, typename OnReply>
std::unique_ptr<server::Work> Script::Ask(std::string kind, Command command, OnReply on_reply) {
  return std::make_unique<ScriptWork>(
      [this, kind = std::move(kind), command = std::move(command), on_reply = std::move(on_reply)](
          Engine& engine, const CommandContext& context, Effects& effects) -> ScriptWork::OnRelease {
        auto reply = ApplyTo(engine, command, context, effects);
        // The engine refuses some: a lock was changed meanwhile, a task runs already.
        if (!reply.ok()) return nullptr;
        return [this, &kind, &on_reply, reply = *std::move(reply)] {
          ++answers_[kind];
          on_reply(reply);
        };
      });
}

Script::Script(uint64_t seed) : random_(seed), now_(absl::FromUnixSeconds(1'700'000'000)) {
  for (const auto& [tenant_id, profile] : {std::pair("shop", "reference"), std::pair("lab", "tool_calling")}) {
    TenantView tenant;
    tenant.tenant_id = tenant_id;
    tenant.policy.set_tenant_id(tenant_id);
    tenant.policy.set_profile(profile);
    tenants_.push_back(std::move(tenant));
  }
}

Engine::Options Script::EngineOptions() {
  Engine::Options options;
  options.alert_retention = absl::Minutes(10);
  return options;
}

absl::Duration Script::NextDelay() {
  const absl::Duration delay = Random(10) == 0 ? absl::Minutes(Random(10)) : absl::Milliseconds(Random(20'000));
  now_ += delay;
  return delay;
}

Script::Works Script::NextBatch() {
  Works works;
  for (int i = Random(kWorksPerBatchMax); i >= 0; --i) works.push_back(Next());
  return works;
}

Script::Works Script::NextLargeBatch() {
  Works works;
  if (!grants_.empty()) works.push_back(EndAttempt(kLargeSecretBytes));
  works.push_back(tenants_[0].tasks.empty() ? CreateTask(tenants_[0]) : TriggerTask(tenants_[0]));
  return works;
}

void Script::Take(const Effects& effects) {
  grants_.insert(grants_.end(), effects.grants.begin(), effects.grants.end());
  for (const v1::Lock& lock : effects.locks) {
    for (TenantView& tenant : tenants_) {
      if (tenant.tenant_id != lock.tenant_id()) continue;
      if (support::IsInForce(lock)) {
        tenant.in_force[lock.lock_id()] = lock;
      } else {
        tenant.in_force.erase(lock.lock_id());
      }
    }
  }
}

std::string Script::NewRequestId() { return absl::StrCat("request-", ++serial_); }

std::unique_ptr<server::Work> Script::Next() {
  TenantView& tenant = tenants_[static_cast<size_t>(Random(static_cast<int>(tenants_.size())))];
  if (tenant.policy.version() == 0) return UpdatePolicy(tenant);
  if (!grants_.empty() && Random(3) == 0) return EndAttempt(0);
  if (tenant.in_force.size() >= kLocksInForceMax) return Release(tenant);
  switch (Random(12)) {
    case 0:
      return Engage(tenant);
    case 1:
    case 2:
      return tenant.in_force.empty() ? Report(tenant) : Release(tenant);
    case 3:
    case 4:
      return Report(tenant);
    case 5:
      return RecordPoints(tenant);
    case 6:
      return tenant.tasks.size() < kTasksMax ? CreateTask(tenant) : TriggerTask(tenant);
    case 7:
      return AskAgain();
    case 8:
      return Random(8) == 0 ? UpdatePolicy(tenant) : Arbitrate(tenant);
    default:
      return Arbitrate(tenant);
  }
}

std::unique_ptr<server::Work> Script::Arbitrate(TenantView& tenant) {
  v1::ArbitrateRequest request =
      support::ActionOf(tenant.tenant_id, absl::StrCat("agent-", Random(kAgents)), absl::StrCat("post_", Random(5)));
  v1::Action& action = *request.mutable_action();
  action.set_action_id(absl::StrCat("action-", ++serial_));
  // A critical one trips a lock; one of some risk is denied.
  const int risk = Random(12);
  if (risk == 0) {
    action.set_risk_score(1);
    action.set_impact_score(1);
  } else if (risk < 4) {
    action.set_risk_score(0.7);
  }
  if (Random(2) == 0) {
    request.set_request_id(NewRequestId());
    asked_ = request;
  }
  return Ask("Arbitrate", request,
             [this](const v1::Decision& decision) { ++answers_[v1::Verdict_Name(decision.verdict())]; });
}

std::unique_ptr<server::Work> Script::AskAgain() {
  if (asked_.request_id().empty()) return Arbitrate(tenants_[0]);
  return Ask("repeated Arbitrate", asked_, [](const v1::Decision&) {});
}

std::unique_ptr<server::Work> Script::Report(TenantView& tenant) {
  constexpr double kScores[] = {0.95, 0.75, 0.60, 0.20};
  auto request =
      support::ReportOf(tenant.tenant_id, absl::StrCat("agent-", Random(kAgents)), kScores[Random(std::size(kScores))]);
  if (Random(2) == 0) request.set_request_id(NewRequestId());
  return Ask("ReportSnapshot", request, [](const v1::ReportSnapshotResponse&) {});
}

std::unique_ptr<server::Work> Script::RecordPoints(TenantView& tenant) {
  v1::RecordDataPointsRequest request;
  request.set_tenant_id(tenant.tenant_id);
  request.set_agent_id(absl::StrCat("agent-", Random(kAgents)));
  for (int i = Random(5); i >= 0; --i) {
    v1::DataPoint& point = *request.add_points();
    point.set_metric(v1::METRIC_SUCCESS_RATE);
    point.set_value(Random(2));
    point.mutable_observe_time()->set_seconds(absl::ToUnixSeconds(now_) - Random(3600));
  }
  return Ask("RecordDataPoints", request, [](const v1::RecordDataPointsResponse&) {});
}

std::unique_ptr<server::Work> Script::Engage(TenantView& tenant) {
  constexpr v1::ScopeKind kKinds[] = {v1::SCOPE_KIND_TENANT, v1::SCOPE_KIND_AGENT, v1::SCOPE_KIND_RESOURCE};
  // Where a release takes two people, nobody would release a tenant: there is one operator.
  const int first = tenant.policy.release_rules().empty() ? 0 : 1;
  const v1::ScopeKind kind = kKinds[first + Random(static_cast<int>(std::size(kKinds)) - first)];
  const std::string id = kind == v1::SCOPE_KIND_TENANT ? tenant.tenant_id : absl::StrCat("agent-", Random(kAgents));
  auto request = support::EngageOf(tenant.tenant_id, kind, id, "drill");
  request.set_request_id(NewRequestId());
  return Ask("EngageLock", request, [](const v1::Lock&) {});
}

std::unique_ptr<server::Work> Script::Release(TenantView& tenant) {
  const auto chosen = std::next(tenant.in_force.begin(), Random(static_cast<int>(tenant.in_force.size())));
  if (support::NeedsAcknowledgement(chosen->second)) {
    auto request = support::AcknowledgeOf(chosen->second);
    request.set_request_id(NewRequestId());
    tenant.in_force.erase(chosen);
    return Ask("AcknowledgeLock", request, [](const v1::Lock&) {});
  }
  auto request = support::ReleaseOf(chosen->second, "over");
  request.set_request_id(NewRequestId());
  // Whether it works or not, it is not tried again: its version may be out of date.
  tenant.in_force.erase(chosen);
  return Ask("ReleaseLock", request, [](const v1::Lock&) {});
}

std::unique_ptr<server::Work> Script::UpdatePolicy(TenantView& tenant) {
  v1::UpdatePolicyRequest request;
  *request.mutable_policy() = tenant.policy;
  if (tenant.policy.version() > 0)
    request.mutable_policy()->mutable_pattern_rules()->set_frequency_max(100 + Random(100));
  request.set_request_id(NewRequestId());
  return Ask("UpdatePolicy", request, [&tenant](const v1::PolicySet& policy) { tenant.policy = policy; });
}

std::unique_ptr<server::Work> Script::CreateTask(TenantView& tenant) {
  OwnedCreateTask command;
  command.request.mutable_task()->set_tenant_id(tenant.tenant_id);
  command.request.mutable_task()->set_type("oauth_token");
  command.request.mutable_task()->set_target(absl::StrCat("platform-", ++serial_));
  command.request.set_request_id(NewRequestId());
  return Ask("CreateTask", command, [&tenant](const v1::Task& task) { tenant.tasks.push_back(task); });
}

std::unique_ptr<server::Work> Script::TriggerTask(TenantView& tenant) {
  v1::TriggerTaskRequest request;
  request.set_tenant_id(tenant.tenant_id);
  request.set_task_id(tenant.tasks[static_cast<size_t>(Random(static_cast<int>(tenant.tasks.size())))].task_id());
  request.set_request_id(NewRequestId());
  return Ask("TriggerTask", request, [](const v1::Task&) {});
}

std::unique_ptr<server::Work> Script::EndAttempt(size_t secret_bytes) {
  const v1::TaskRecord grant = std::move(grants_.front());
  grants_.erase(grants_.begin());
  AttemptResult result;
  result.tenant_id = grant.task().tenant_id();
  result.task_id = grant.task().task_id();
  result.lease_epoch = grant.attempt().lease_epoch();
  result.success = secret_bytes > 0 || Random(2) == 0;
  result.failure_reason = v1::FAILURE_REASON_AUTH_ERROR;
  result.error_message = result.success ? "" : "invalid_grant";
  result.sealed_secret = secret_bytes > 0 ? std::string(secret_bytes, 's') : "renewed";
  return Ask(result.success ? "attempt that succeeded" : "attempt that failed", result, [](const v1::Task&) {});
}

}  // namespace interlock::crash
