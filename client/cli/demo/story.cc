#include "client/cli/demo/story.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/decision_text.h"
#include "client/cli/demo/token_endpoint.h"
#include "client/cli/format.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"

namespace interlock::cli {
namespace {

constexpr char kHealthyAgent[] = "support-bot";
constexpr char kLoopingAgent[] = "research-bot";
constexpr char kFailingAgent[] = "billing-bot";
constexpr double kHealthyRate = 0.97;
// Enough that the server is sure of what it finds.
constexpr int64_t kActionsReported = 400;
// Everything here takes milliseconds; more than this is a surprise.
constexpr absl::Duration kPatience = absl::Seconds(4);
constexpr absl::Duration kPollInterval = absl::Milliseconds(20);

absl::Status Surprise(absl::string_view expected, absl::string_view found) {
  return absl::AbortedError(absl::StrCat("expected ", expected, ", but found ", found));
}

std::string VerdictName(v1::Verdict verdict) { return absl::AsciiStrToUpper(FormatEnum(verdict)); }

}  // namespace

Story::Story(const client::Client& client, const Output& output, std::string tenant)
    : client_(client), output_(output), tenant_(std::move(tenant)) {}

Story::~Story() = default;

absl::Status Story::Tell() {
  const absl::Time begin = absl::Now();
  for (const auto step : {&Story::SetUp, &Story::HealthyFleet, &Story::RunawayLoop, &Story::Degrade, &Story::Trip,
                          &Story::Blocked, &Story::Release, &Story::Recover, &Story::Task}) {
    INTERLOCK_RETURN_IF_ERROR((this->*step)());
  }
  Title("That was the whole way");
  Say(absl::StrCat("metric → tier → episode → alert → lock criteria → lock → blocked action → release → allow, in ",
                   absl::FormatDuration(absl::Trunc(absl::Now() - begin, absl::Milliseconds(10))), "."));
  Say(absl::StrCat(alert_count_,
                   " alerts came over the subscription, each once and without a gap; all of it is durable."));
  Say(absl::StrCat("Look around: interlockctl decisions --tenant=", tenant_));
  Say(absl::StrCat("             interlockctl alerts list --tenant=", tenant_));
  return absl::OkStatus();
}

void Story::Title(absl::string_view text) {
  output_.out << "\n" << output_.Painted(absl::StrCat(++title_count_, ". ", text), Color::kBold) << "\n";
}

void Story::Say(absl::string_view text) { output_.out << "   " << text << std::endl; }

double Story::RateOfTier(int tier) const {
  double rates[] = {1, 0, 0, 0, 0};
  for (const v1::TierPolicy& policy : policy_.tiers()) rates[policy.tier()] = policy.thresholds().success_rate();
  return (rates[tier] + rates[tier + 1]) / 2;
}

absl::Status Story::SetUp() {
  Title("A tenant for agents that call tools, and somebody who listens");
  v1::UpdatePolicyRequest update;
  update.mutable_policy()->set_tenant_id(tenant_);
  update.mutable_policy()->set_profile("tool_calling");
  INTERLOCK_ASSIGN_OR_RETURN(policy_, client_.UpdatePolicy(std::move(update)));
  if (policy_.tiers_size() != 3) return Surprise("a policy with 3 tiers", absl::StrCat(policy_.tiers_size()));
  Say(absl::StrCat("Tenant ", tenant_, " is on profile ", policy_.profile(), ", policy version ", policy_.version(),
                   "."));
  v1::SubscribeAlertsRequest request;
  request.set_tenant_id(tenant_);
  request.set_min_tier(1);
  request.set_from_now(true);
  alerts_ = std::make_unique<client::AlertSubscription>(client_, request);
  INTERLOCK_RETURN_IF_ERROR(alerts_->WaitUntilOpen(kPatience));
  Say(absl::StrCat("A subscription to its alerts is open, after sequence ", alerts_->position().sequence, "."));
  return absl::OkStatus();
}

absl::StatusOr<v1::Assessment> Story::Report(absl::string_view agent, double success_rate) {
  v1::ReportSnapshotRequest request;
  v1::Snapshot& snapshot = *request.mutable_snapshot();
  snapshot.set_tenant_id(tenant_);
  snapshot.set_agent_id(std::string(agent));
  snapshot.set_status(v1::AGENT_STATUS_ACTIVE);
  snapshot.set_total_actions(kActionsReported);
  snapshot.set_success_rate(success_rate);
  snapshot.set_efficiency_score(0.9);
  *snapshot.mutable_average_response_time() = ToProto(absl::Milliseconds(1200));
  INTERLOCK_ASSIGN_OR_RETURN(v1::ReportSnapshotResponse response, client_.ReportSnapshot(std::move(request)));
  return std::move(*response.mutable_assessment());
}

absl::Status Story::HealthyFleet() {
  Title("Three agents report, and all is well");
  for (const char* agent : {kHealthyAgent, kLoopingAgent, kFailingAgent}) {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Assessment grade, Report(agent, kHealthyRate));
    if (grade.tier() != 0) return Surprise("tier 0", absl::StrCat("tier ", grade.tier()));
    Say(absl::StrCat(agent, ": success rate ", FormatNumber(kHealthyRate), ", health ",
                     FormatNumber(grade.health_score()), " → tier 0."));
  }
  INTERLOCK_RETURN_IF_ERROR(Ask(kHealthyAgent, "get_customer", "customer 7", v1::VERDICT_ALLOW));
  return Ask(kFailingAgent, "send_invoice", "invoice 1001", v1::VERDICT_ALLOW);
}

absl::Status Story::Ask(absl::string_view agent, absl::string_view action_type, absl::string_view detail,
                        v1::Verdict expected) {
  v1::ArbitrateRequest request;
  v1::Action& action = *request.mutable_action();
  action.set_tenant_id(tenant_);
  action.set_agent_id(std::string(agent));
  action.set_action_type(std::string(action_type));
  (*action.mutable_parameters()->mutable_fields())["about"].set_string_value(std::string(detail));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Decision decision, client_.Arbitrate(std::move(request)));
  const Cell verdict = VerdictCell(decision.verdict());
  std::string why;
  for (const v1::Reason& reason : decision.reasons()) {
    if (decision.verdict() != v1::VERDICT_ALLOW)
      absl::StrAppend(&why, why.empty() ? "  " : "; ", Printable(reason.text()));
  }
  Say(absl::StrCat(agent, " wants ", action_type, " (", detail, ") → ", output_.Painted(verdict.text, verdict.color),
                   why));
  if (decision.verdict() == expected) return absl::OkStatus();
  return Surprise(absl::StrCat(VerdictName(expected), " for ", action_type, " of ", agent),
                  absl::StrCat(VerdictName(decision.verdict()), why));
}

absl::Status Story::RunawayLoop() {
  const int64_t calls = policy_.pattern_rules().repeated_call().max_calls();
  Title("An agent runs in circles");
  for (int64_t call = 1; call <= calls; ++call) {
    INTERLOCK_RETURN_IF_ERROR(Ask(kLoopingAgent, "search_web", "the same question", v1::VERDICT_ALLOW));
  }
  return Ask(kLoopingAgent, "search_web", "the same question", v1::VERDICT_DENY);
}

absl::StatusOr<v1::Alert> Story::WaitForAlert(absl::string_view type, v1::Transition transition) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (true) {
    absl::StatusOr<v1::Alert> alert = alerts_->Next(deadline - absl::Now());
    if (absl::IsDeadlineExceeded(alert.status())) {
      return Surprise(absl::StrCat("an alert of type ", type, ", ", FormatEnum(transition)), "none");
    }
    if (!alert.ok()) return alert.status();
    ++alert_count_;
    Say(output_.Painted(absl::StrCat("  ⚡ alert ", alert->sequence(), ": ", alert->type(), " ",
                                     FormatEnum(alert->transition()), ", tier ", alert->tier(), ", ",
                                     FormatEnum(alert->severity()), ", about ", Printable(alert->agent_id())),
                        TierColor(alert->tier())));
    if (alert->type() == type && alert->transition() == transition) return alert;
  }
}

absl::Status Story::ReportFailing(double success_rate, int tier) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Assessment grade, Report(kFailingAgent, success_rate));
  const std::string sure =
      grade.tier() == 0 ? "" : absl::StrCat(", sure to ", FormatNumber(100 * grade.anomaly_confidence(), 0), " %");
  Say(absl::StrCat(kFailingAgent, ": success rate ", FormatNumber(success_rate), " → ",
                   output_.Painted(absl::StrCat("tier ", grade.tier()), TierColor(grade.tier())), sure, "."));
  if (grade.tier() == tier) return absl::OkStatus();
  return Surprise(absl::StrCat("tier ", tier, " at a success rate of ", FormatNumber(success_rate)),
                  absl::StrCat("tier ", grade.tier()));
}

absl::Status Story::Degrade() {
  Title(absl::StrCat(kFailingAgent, " degrades through the tiers; each turn of its episode is one alert"));
  INTERLOCK_RETURN_IF_ERROR(ReportFailing(RateOfTier(1), 1));
  INTERLOCK_RETURN_IF_ERROR(WaitForAlert("anomaly", v1::TRANSITION_FIRED).status());
  INTERLOCK_RETURN_IF_ERROR(ReportFailing(RateOfTier(2), 2));
  INTERLOCK_RETURN_IF_ERROR(WaitForAlert("anomaly", v1::TRANSITION_ESCALATED).status());
  INTERLOCK_RETURN_IF_ERROR(ReportFailing(RateOfTier(3), 3));
  return WaitForAlert("systemic_anomaly", v1::TRANSITION_ESCALATED).status();
}

absl::Status Story::Trip() {
  int32_t findings = 0;
  for (const v1::TierPolicy& tier : policy_.tiers()) findings = tier.lock_criteria().consecutive_failures();
  Title(absl::StrCat("It stays there: ", findings, " sure findings of tier 3 trip its lock"));
  // The first one was the last report of the step before.
  for (int32_t finding = 2; finding <= findings; ++finding) {
    INTERLOCK_RETURN_IF_ERROR(ReportFailing(RateOfTier(3), 3));
  }
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Alert alert, WaitForAlert("lock", v1::TRANSITION_FIRED));
  lock_id_ = alert.diagnostic_brief().evidence().lock_id();
  Say(absl::StrCat(lock_id_, ": ", Printable(alert.diagnostic_brief().evidence().lock_reason())));
  return absl::OkStatus();
}

absl::Status Story::Blocked() {
  Title("What the lock covers is blocked, and nothing else");
  INTERLOCK_RETURN_IF_ERROR(Ask(kFailingAgent, "send_invoice", "invoice 1002", v1::VERDICT_LOCK));
  return Ask(kHealthyAgent, "get_customer", "customer 8", v1::VERDICT_ALLOW);
}

absl::Status Story::Release() {
  Title("Only a person releases it: takes note, names the version that was looked at, and says why");
  v1::GetLockRequest get;
  get.set_lock_id(lock_id_);
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock lock, client_.GetLock(get));
  v1::AcknowledgeLockRequest acknowledge;
  acknowledge.set_lock_id(lock_id_);
  acknowledge.set_version(lock.version());
  acknowledge.set_reason("looking at the failed invoices");
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock acknowledged, client_.AcknowledgeLock(acknowledge));
  if (acknowledged.state() != v1::LOCK_STATE_ACKNOWLEDGED) {
    return Surprise("an acknowledged lock", FormatEnum(acknowledged.state()));
  }
  const v1::LockRelease& note = acknowledged.releases(acknowledged.releases_size() - 1);
  Say(absl::StrCat(Printable(FormatPrincipal(note.released_by())), " acknowledged ", lock_id_, ": ", note.reason()));
  v1::ReleaseLockRequest release;
  release.set_lock_id(lock_id_);
  release.set_version(acknowledged.version());
  release.set_reason("the payment provider is back; checked the last 20 invoices");
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock released, client_.ReleaseLock(release));
  if (released.state() != v1::LOCK_STATE_PROBATION) {
    return Surprise("a lock in probation", FormatEnum(released.state()));
  }
  const v1::LockRelease& step = released.releases(released.releases_size() - 1);
  Say(absl::StrCat(Printable(FormatPrincipal(step.released_by())), " released ", lock_id_, ": ", step.reason()));
  Say(absl::StrCat("It blocks nothing any more, but is in probation until ", FormatTime(released.probation_end_time()),
                   ": the next anomaly trips it again."));
  return absl::OkStatus();
}

absl::Status Story::Recover() {
  Title("The agent is well again: its episode ends, and its next action is allowed");
  // Two in a row also clear what counted toward the lock.
  for (int report = 0; report < 2; ++report) INTERLOCK_RETURN_IF_ERROR(ReportFailing(kHealthyRate, 0));
  INTERLOCK_RETURN_IF_ERROR(WaitForAlert("systemic_anomaly", v1::TRANSITION_RESOLVED).status());
  return Ask(kFailingAgent, "send_invoice", "invoice 1002", v1::VERDICT_ALLOW);
}

absl::StatusOr<v1::Task> Story::WaitForTask(const std::string& task_id, v1::TaskState state) {
  v1::GetTaskRequest request;
  request.set_tenant_id(tenant_);
  request.set_task_id(task_id);
  const absl::Time deadline = absl::Now() + kPatience;
  while (true) {
    INTERLOCK_ASSIGN_OR_RETURN(v1::Task task, client_.GetTask(request));
    const bool ended = state == v1::TASK_STATE_ACTIVE ? task.has_last_success_time() : task.has_last_failure_time();
    if (task.state() == state && ended) return task;
    if (absl::Now() > deadline) {
      return Surprise(absl::StrCat("the task to be ", FormatEnum(state)), FormatEnum(task.state()));
    }
    absl::SleepFor(kPollInterval);
  }
}

absl::Status Story::Task() {
  Title("A durable task fails, backs off and recovers");
  TokenEndpoint endpoint;
  if (!endpoint.ok()) return absl::AbortedError("cannot open a port for the demo's token endpoint");
  v1::CreateTaskRequest create;
  create.mutable_task()->set_tenant_id(tenant_);
  create.mutable_task()->set_type("oauth_token");
  create.mutable_task()->set_target("gsc");
  create.mutable_oauth_grant()->set_token_endpoint(endpoint.url());
  create.mutable_oauth_grant()->set_client_id("demo-client");
  create.mutable_oauth_grant()->set_refresh_token("demo-refresh-token");
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Task created, client_.CreateTask(std::move(create)));
  Say(absl::StrCat(created.task_id(), " keeps a token alive at ", endpoint.url(), ", which refuses."));

  INTERLOCK_ASSIGN_OR_RETURN(const v1::Task degraded, WaitForTask(created.task_id(), v1::TASK_STATE_DEGRADED));
  const absl::Duration wait = FromProto(degraded.next_retry_time()) - FromProto(degraded.last_failure_time());
  Say(absl::StrCat("It is ", output_.Painted("degraded", Color::kYellow), " (", Printable(degraded.failure_reason()),
                   "); the next try is at ", FormatTime(degraded.next_retry_time()), ", ",
                   absl::FormatDuration(absl::Trunc(wait, absl::Seconds(1))), " after the failure."));
  v1::ListUserAlertsRequest list;
  list.set_tenant_id(tenant_);
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ListUserAlertsResponse messages, client_.ListUserAlerts(list));
  if (messages.user_alerts().empty()) return Surprise("a message to the tenant's users", "none");
  Say(absl::StrCat("Its users are told: \"", Printable(messages.user_alerts(0).title()), "\""));

  endpoint.Grant();
  v1::TriggerTaskRequest trigger;
  trigger.set_tenant_id(tenant_);
  trigger.set_task_id(created.task_id());
  INTERLOCK_RETURN_IF_ERROR(client_.TriggerTask(std::move(trigger)).status());
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Task active, WaitForTask(created.task_id(), v1::TASK_STATE_ACTIVE));
  if (endpoint.request_count() != 2) {
    return Surprise("2 requests at the endpoint", absl::StrCat(endpoint.request_count()));
  }
  Say(absl::StrCat("The endpoint grants again, and a person triggers it instead of waiting → ",
                   output_.Painted("active", Color::kGreen), ", next run at ", FormatTime(active.next_run_time()),
                   "."));
  return absl::OkStatus();
}

}  // namespace interlock::cli
