#include "client/cli/agents.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/format.h"
#include "client/cli/list.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

std::string Score(bool known, double value) { return known ? FormatNumber(value) : "-"; }

std::string SuccessRate(const v1::Snapshot& snapshot) {
  if (snapshot.has_success_rate()) return FormatNumber(snapshot.success_rate());
  if (snapshot.total_actions() == 0) return "-";
  return FormatNumber(static_cast<double>(snapshot.successful_actions()) /
                      static_cast<double>(snapshot.total_actions()));
}

Cell TierCell(const v1::Assessment& assessment) {
  if (assessment.data_state() == v1::DATA_STATE_NO_DATA) return {"no data", Color::kDim};
  return {absl::StrCat(assessment.tier()), TierColor(assessment.tier())};
}

Table Tabulate(const v1::ListAgentsResponse& list) {
  Table table({{"agent"},
               {"tier"},
               {"health", Align::kRight},
               {"success", Align::kRight},
               {"efficiency", Align::kRight},
               {"impact", Align::kRight},
               {"response", Align::kRight},
               {"locks", Align::kRight},
               {"reported"}});
  for (const v1::Agent& agent : list.agents()) {
    const v1::Snapshot& snapshot = agent.snapshot();
    const v1::Assessment& grade = agent.assessment();
    table.AddRow({agent.agent_id(),
                  TierCell(grade),
                  Score(grade.has_health_score(), grade.health_score()),
                  SuccessRate(snapshot),
                  Score(snapshot.has_efficiency_score(), snapshot.efficiency_score()),
                  Score(snapshot.has_market_impact_score(), snapshot.market_impact_score()),
                  FormatDuration(snapshot.average_response_time()),
                  {absl::StrCat(agent.locks_size()), agent.locks().empty() ? Color::kPlain : Color::kRed},
                  FormatTime(agent.report_time())});
  }
  return table;
}

absl::StatusOr<ExitCode> RunList(Context& context) {
  v1::ListAgentsRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  return ShowList(context, request, &client::Client::ListAgents, &v1::ListAgentsResponse::agents_size, Tabulate);
}

std::string MetricNames(const google::protobuf::RepeatedField<int>& metrics) {
  return absl::StrJoin(metrics, ", ", [](std::string* text, int metric) {
    absl::StrAppend(text, FormatEnum(static_cast<v1::Metric>(metric)));
  });
}

void WriteAssessment(const v1::Agent& agent, const Output& output) {
  const v1::Snapshot& snapshot = agent.snapshot();
  const v1::Assessment& grade = agent.assessment();
  output.out << RenderFacts(
      {
          {"agent", absl::StrCat(agent.agent_id(), " of ", agent.tenant_id())},
          {"status", FormatEnum(snapshot.status())},
          {"reported", FormatTime(agent.report_time())},
          {"tier", TierCell(grade)},
          {"health", Score(grade.has_health_score(), grade.health_score())},
          {"anomaly confidence", FormatNumber(grade.anomaly_confidence())},
          {"beyond threshold", MetricNames(grade.breached_metrics())},
          {"success rate", absl::StrCat(SuccessRate(snapshot), " of ", snapshot.total_actions())},
          {"efficiency", Score(snapshot.has_efficiency_score(), snapshot.efficiency_score())},
          {"market impact", Score(snapshot.has_market_impact_score(), snapshot.market_impact_score())},
          {"response time", FormatDuration(snapshot.average_response_time())},
          {"graded by",
           grade.policy_version() == 0 ? "built-in profile" : absl::StrCat("policy version ", grade.policy_version())},
      },
      output.color);
  for (const v1::PerformanceAlert& alert : grade.alerts()) {
    output.out << output.Painted("alert", Color::kYellow) << "  " << Printable(alert.message()) << "\n";
  }
  for (const v1::Lock& lock : agent.locks()) {
    output.out << output.Painted("locked", Color::kRed) << "  " << Printable(lock.lock_id()) << ": "
               << (lock.causes().empty() ? "" : Printable(lock.causes(0).reason())) << "\n";
  }
}

void WriteOutlook(const v1::Agent& agent, const Output& output) {
  if (!agent.trends().empty()) {
    Table table({{"metric"}, {"trend"}, {"% an hour", Align::kRight}, {"confidence", Align::kRight}});
    for (const v1::Trend& trend : agent.trends()) {
      table.AddRow({FormatEnum(trend.metric()), FormatEnum(trend.direction()), FormatNumber(trend.change_rate()),
                    FormatNumber(trend.confidence())});
    }
    output.out << "\n";
    output.Write(table);
  }
  for (const v1::Recommendation& advice : agent.recommendations()) {
    output.out << "\n"
               << output.Painted(Printable(advice.type()), Color::kCyan) << " (" << FormatEnum(advice.priority())
               << ", effort " << FormatEnum(advice.effort()) << "): " << Printable(advice.description()) << "\n";
    for (const std::string& step : advice.steps()) output.out << "  - " << Printable(step) << "\n";
  }
}

absl::StatusOr<ExitCode> RunGet(Context& context) {
  v1::GetAgentRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_agent_id(context.arguments.Word(0));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Agent agent, context.client.GetAgent(request));
  if (context.output.json) {
    context.output.WriteJson(agent);
    return kExitOk;
  }
  WriteAssessment(agent, context.output);
  WriteOutlook(agent, context.output);
  return kExitOk;
}

}  // namespace

std::vector<Command> AgentCommands() {
  return {
      {.name = "agents list",
       .summary = "lists a tenant's agents with their grades",
       .details = "",
       .positionals = {},
       .flags = {kTenantFlag, kLimitFlag},
       .run = RunList},
      {.name = "agents get",
       .summary = "shows all that is known of one agent",
       .details = "",
       .positionals = {{.name = "AGENT"}},
       .flags = {kTenantFlag},
       .run = RunGet},
  };
}

}  // namespace interlock::cli
