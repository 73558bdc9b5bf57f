#include "client/cli/decisions.h"

#include "absl/strings/str_cat.h"
#include "client/cli/decision_text.h"
#include "client/cli/format.h"
#include "client/cli/pages.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

// The first reason sums up; the one after it, if there is one, is what it comes from.
std::string MainReason(const v1::Decision& decision) {
  if (decision.reasons().empty()) return "";
  return decision.reasons(decision.reasons_size() > 1 ? 1 : 0).text();
}

void WriteTable(const v1::ListDecisionsResponse& list, const Output& output) {
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
    table.AddRow({absl::StrCat(decision.sequence()), FormatTime(decision.decide_time()),
                  decision.agent_id(), decision.action_type(), VerdictCell(decision.verdict()),
                  FormatEnum(decision.risk_level()),
                  {absl::StrCat(decision.tier()), TierColor(decision.tier())},
                  decision.category(),
                  MainReason(decision)});
  }
  output.Write(table);
}

absl::StatusOr<ExitCode> RunDecisions(Context& context) {
  const Arguments& arguments = context.arguments;
  v1::ListDecisionsRequest request;
  request.set_tenant_id(arguments.Get("tenant"));
  request.set_agent_id(arguments.Get("agent"));
  INTERLOCK_ASSIGN_OR_RETURN(
      const v1::Verdict verdict,
      arguments.GetEnum("verdict", v1::VERDICT_UNSPECIFIED, ParseEnum<v1::Verdict>));
  request.set_verdict(verdict);
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t limit, Limit(arguments));
  v1::ListDecisionsResponse all;
  INTERLOCK_ASSIGN_OR_RETURN(
      *all.mutable_next_page_token(),
      FetchPages(
          request, limit, [&](const auto& page) { return context.client.ListDecisions(page); },
          [&](const v1::ListDecisionsResponse& page) {
            all.mutable_decisions()->MergeFrom(page.decisions());
            return page.decisions_size();
          }));
  if (context.output.json) {
    context.output.WriteJson(all);
    return kExitOk;
  }
  WriteTable(all, context.output);
  if (!all.next_page_token().empty()) context.output.Note("There are more: --limit=0 shows all.");
  return kExitOk;
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
