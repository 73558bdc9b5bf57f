#include "client/cli/shadow.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/decision_text.h"
#include "client/cli/format.h"
#include "client/cli/list.h"
#include "client/cli/policy_input.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

absl::StatusOr<ExitCode> RunShadow(Context& context) {
  const Arguments& arguments = context.arguments;
  const bool ends = arguments.Has("end");
  if (ends == !arguments.Word(0).empty()) {
    return UsageError("name the candidate, a JSON file or a built-in profile, or give --end");
  }
  v1::SetShadowPolicyRequest request;
  request.set_tenant_id(arguments.Get("tenant"));
  if (!ends) {
    INTERLOCK_ASSIGN_OR_RETURN(*request.mutable_policy(), ReadPolicyOrProfile(arguments.Word(0), context.output.in));
    request.mutable_policy()->set_tenant_id(request.tenant_id());
  }
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ShadowPolicy shadow, context.client.SetShadowPolicy(std::move(request)));
  const Output& output = context.output;
  if (output.json) {
    output.WriteJson(shadow);
  } else if (ends) {
    output.out << "no candidate decides any more\n";
  } else {
    output.out << "the candidate decides beside the policy in force; interlockctl policy differences shows how\n";
  }
  return kExitOk;
}

void ShowSummary(const v1::ShadowPolicy& shadow, const Output& output) {
  const v1::ShadowCounts& counts = shadow.counts();
  output.out << FormatCount(counts.decisions()) << " decisions since " << FormatTime(shadow.start_time()) << ", "
             << FormatCount(counts.differences()) << " would have been others\n";
  for (const v1::VerdictCount& verdicts : counts.verdicts()) {
    if (verdicts.from() == verdicts.to()) continue;
    output.out << "  " << FormatEnum(verdicts.from()) << " -> " << FormatEnum(verdicts.to()) << ": "
               << FormatCount(verdicts.count()) << "\n";
  }
}

absl::StatusOr<ExitCode> RunDifferences(Context& context) {
  v1::ListShadowDifferencesRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  const auto tabulate = [&context](const v1::ListShadowDifferencesResponse& list) {
    ShowSummary(list.shadow(), context.output);
    Table table({{"decision"},
                 {"decided"},
                 {"agent"},
                 {.title = "action", .width_max = 40},
                 {"verdict"},
                 {"candidate"},
                 {.title = "why", .width_max = 80}});
    for (const v1::ShadowDifference& difference : list.differences()) {
      table.AddRow({difference.decision_id(), FormatTime(difference.decide_time()), difference.agent_id(),
                    difference.action_type(), VerdictCell(difference.verdict()),
                    VerdictCell(difference.shadow_verdict()),
                    MainReason(difference.shadow_verdict(), difference.shadow_reasons())});
    }
    return table;
  };
  return ShowList(context, request, &client::Client::ListShadowDifferences,
                  &v1::ListShadowDifferencesResponse::differences_size, tabulate);
}

}  // namespace

std::vector<Command> ShadowCommands() {
  return {
      {.name = "policy shadow",
       .summary = "has a candidate (a JSON file, or a built-in profile) decide beside a tenant's policy",
       .details = "  Nobody is held to what it decides. A candidate that is set anew counts from the start.",
       .positionals = {{.name = "CANDIDATE", .required = false}},
       .flags = {kTenantFlag, {.name = "end", .value = "", .help = "no candidate decides any more"}},
       .run = RunShadow},
      {.name = "policy differences",
       .summary = "shows which decisions the candidate would have made otherwise, newest first",
       .details = "",
       .positionals = {},
       .flags = {kTenantFlag, kLimitFlag},
       .run = RunDifferences},
  };
}

}  // namespace interlock::cli
