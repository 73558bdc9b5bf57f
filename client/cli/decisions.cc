#include "client/cli/decisions.h"

#include "absl/strings/str_cat.h"
#include "client/cli/decision_text.h"
#include "client/cli/format.h"
#include "client/cli/list.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

Table Tabulate(const v1::ListDecisionsResponse& list) {
  Table table({{"sequence", Align::kRight},
               {"decided"},
               {"agent"},
               {.title = "action", .width_max = 40},
               {"verdict"},
               {"risk"},
               {"tier", Align::kRight},
               {"category"},
               {.title = "why", .width_max = 80}});
  for (const v1::Decision& decision : list.decisions()) {
    table.AddRow({absl::StrCat(decision.sequence()),
                  FormatTime(decision.decide_time()),
                  decision.agent_id(),
                  decision.action_type(),
                  VerdictCell(decision.verdict()),
                  FormatEnum(decision.risk_level()),
                  {absl::StrCat(decision.tier()), TierColor(decision.tier())},
                  decision.category(),
                  MainReason(decision.verdict(), decision.reasons())});
  }
  return table;
}

absl::StatusOr<ExitCode> RunDecisions(Context& context) {
  const Arguments& arguments = context.arguments;
  v1::ListDecisionsRequest request;
  request.set_tenant_id(arguments.Get("tenant"));
  request.set_agent_id(arguments.Get("agent"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Verdict verdict,
                             arguments.GetEnum("verdict", v1::VERDICT_UNSPECIFIED, ParseEnum<v1::Verdict>));
  request.set_verdict(verdict);
  return ShowList(context, request, &client::Client::ListDecisions, &v1::ListDecisionsResponse::decisions_size,
                  Tabulate);
}

}  // namespace

std::vector<Command> DecisionCommands() {
  return {{.name = "decisions",
           .summary = "lists a tenant's decisions, newest first",
           .details = "",
           .positionals = {},
           .flags = {kTenantFlag,
                     {.name = "agent", .value = "AGENT", .help = "only this agent's"},
                     {.name = "verdict", .value = "VERDICT", .help = "only allow, deny or lock"},
                     kLimitFlag},
           .run = RunDecisions}};
}

}  // namespace interlock::cli
