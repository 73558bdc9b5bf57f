#include "client/cli/decide.h"

#include <utility>

#include "client/cli/decision_text.h"
#include "client/cli/failure.h"
#include "client/cli/format.h"
#include "client/cli/input.h"
#include "client/decide.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

const std::vector<FlagSpec> kActionFlags = {
    kTenantFlag,
    {.name = "agent", .value = "AGENT", .help = "the agent that would act", .required = true},
    {.name = "type", .value = "TYPE", .help = "what kind of action, for example send_email", .required = true},
    {.name = "category", .value = "CATEGORY", .help = "default: the policy's rules give one"},
    {.name = "target", .value = "RESOURCE", .help = "what is acted on"},
    {.name = "parameters", .value = "JSON", .help = "the arguments, an object; @FILE reads a file, @- standard input"},
    {.name = "risk", .value = "0..1", .help = "how risky; default: the policy says"},
    {.name = "impact", .value = "0..1", .help = "how far-reaching; default: the policy says"},
    {.name = "tier", .value = "0..3", .help = "the tier that the agent sees; default: 1"},
    {.name = "supervised", .value = "", .help = "a person steers: the action is not autonomous"},
    {.name = "action_id", .value = "ID", .help = "the agent's own name for the action"},
    {.name = "approval", .value = "ID", .help = "an approval of exactly this action"},
    {.name = "episode", .value = "ID", .help = "the open episode of the agent that the action is to remedy"},
    {.name = "checkpoint", .value = "ID", .help = "a checkpoint that was created for this action"},
};

std::vector<FlagSpec> DecideFlags() {
  std::vector<FlagSpec> flags = kActionFlags;
  flags.push_back(
      {.name = "request_id", .value = "ID", .help = "makes a repeat safe for 10 minutes; default: a random one"});
  return flags;
}

absl::StatusOr<v1::Action> MakeAction(const Context& context) {
  const Arguments& arguments = context.arguments;
  v1::Action action;
  action.set_tenant_id(arguments.Get("tenant"));
  action.set_agent_id(arguments.Get("agent"));
  action.set_action_type(arguments.Get("type"));
  action.set_category(arguments.Get("category"));
  action.set_target_resource(arguments.Get("target"));
  action.set_action_id(arguments.Get("action_id"));
  action.set_episode_id(arguments.Get("episode"));
  if (arguments.Has("parameters")) {
    INTERLOCK_RETURN_IF_ERROR(
        ReadJsonValue("parameters", arguments.Get("parameters"), context.output.in, action.mutable_parameters()));
  }
  INTERLOCK_ASSIGN_OR_RETURN(const double risk, arguments.GetNumber("risk", 0));
  INTERLOCK_ASSIGN_OR_RETURN(const double impact, arguments.GetNumber("impact", 0));
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t tier, arguments.GetInteger("tier", 0));
  if (tier < 0 || tier > 3) return Arguments::InvalidFlag("tier", "must be 0..3");
  if (arguments.Has("risk")) action.set_risk_score(risk);
  if (arguments.Has("impact")) action.set_impact_score(impact);
  if (arguments.Has("tier")) action.set_recommended_tier(static_cast<int32_t>(tier));
  if (arguments.Has("supervised")) action.set_autonomous_modification(false);
  return action;
}

ExitCode Show(const v1::Decision& decision, const Output& output) {
  if (output.json) {
    output.WriteJson(decision);
  } else {
    output.out << DescribeDecision(decision, output.color);
  }
  return ExitCodeOf(decision.verdict());
}

absl::StatusOr<ExitCode> RunDecide(Context& context) {
  v1::ArbitrateRequest request;
  INTERLOCK_ASSIGN_OR_RETURN(*request.mutable_action(), MakeAction(context));
  request.set_request_id(context.arguments.Get("request_id"));
  request.set_approval_id(context.arguments.Get("approval"));
  request.set_checkpoint_id(context.arguments.Get("checkpoint"));
  const client::Verdict verdict = client::VerdictOf(context.client.Arbitrate(std::move(request)));
  if (verdict.status.ok()) return Show(verdict.decision, context.output);
  context.output.err << DescribeFailure(verdict.status, context.client_options.address)
                     << "There is no verdict: take it as DENY.\n";
  return ExitCodeOf(verdict.status);
}

absl::StatusOr<ExitCode> RunExplain(Context& context) {
  v1::ExplainActionRequest request;
  INTERLOCK_ASSIGN_OR_RETURN(*request.mutable_action(), MakeAction(context));
  request.set_approval_id(context.arguments.Get("approval"));
  request.set_checkpoint_id(context.arguments.Get("checkpoint"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Decision decision, context.client.ExplainAction(std::move(request)));
  return Show(decision, context.output);
}

absl::StatusOr<v1::Outcome> ReadOutcome(const std::string& name) {
  if (name == "succeeded") return v1::OUTCOME_SUCCEEDED;
  if (name == "failed") return v1::OUTCOME_FAILED;
  if (name == "not_executed") return v1::OUTCOME_NOT_EXECUTED;
  if (name == "unknown") return v1::OUTCOME_UNKNOWN;
  return Arguments::InvalidFlag("result", "must be succeeded, failed, not_executed or unknown");
}

absl::StatusOr<ExitCode> RunOutcome(Context& context) {
  v1::ReportActionOutcomeRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_decision_id(context.arguments.Word(0));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Outcome result, ReadOutcome(context.arguments.Get("result")));
  request.set_outcome(result);
  request.set_detail(context.arguments.Get("detail"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ReportActionOutcomeResponse response,
                             context.client.ReportActionOutcome(std::move(request)));
  if (context.output.json) {
    context.output.WriteJson(response);
    return kExitOk;
  }
  const v1::ActionOutcome& outcome = response.outcome();
  context.output.out << RenderFacts(
      {
          {"decision", outcome.decision_id()},
          {"agent", Printable(outcome.agent_id())},
          {"result", FormatEnum(outcome.outcome())},
          {"attempt", outcome.refunded() ? "given back to its episode" : ""},
          {"tier now", response.has_assessment() ? absl::StrCat(response.assessment().tier()) : ""},
      },
      context.output.color);
  return kExitOk;
}

}  // namespace

std::vector<Command> DecideCommands() {
  return {
      {.name = "decide",
       .summary = "asks for a verdict on an action, which is recorded and counts",
       .details = "  Exits with 0 for ALLOW, 3 for DENY and 4 for LOCK. Any other code is no verdict:"
                  " do not act.",
       .positionals = {},
       .flags = DecideFlags(),
       .run = RunDecide},
      {.name = "explain",
       .summary = "shows what decide would answer now; nothing is stored or counted",
       .details = "  Exits like decide.",
       .positionals = {},
       .flags = kActionFlags,
       .run = RunExplain},
      {.name = "outcome",
       .summary = "says what became of an action that was allowed",
       .details = "  Once a decision. What was not executed gives a remediation attempt back.",
       .positionals = {{.name = "DECISION_ID"}},
       .flags = {kTenantFlag,
                 {.name = "result",
                  .value = "RESULT",
                  .help = "succeeded, failed, not_executed or unknown",
                  .required = true},
                 {.name = "detail", .value = "TEXT", .help = "what happened, for people"}},
       .run = RunOutcome},
  };
}

}  // namespace interlock::cli
