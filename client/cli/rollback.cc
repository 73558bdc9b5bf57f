#include "client/cli/rollback.h"

#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/input.h"
#include "client/cli/list.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

Cell StateCell(const v1::Rollback& rollback) {
  switch (rollback.state()) {
    case v1::ROLLBACK_STATE_SUCCEEDED:
      return {"succeeded", Color::kGreen};
    case v1::ROLLBACK_STATE_FAILED:
    case v1::ROLLBACK_STATE_UNVERIFIABLE:
      return {FormatEnum(rollback.state()), Color::kRed};
    default:
      return {FormatEnum(rollback.state()), Color::kYellow};
  }
}

void ShowRollback(const v1::Rollback& rollback, const Output& output) {
  if (output.json) {
    output.WriteJson(rollback);
    return;
  }
  output.out << RenderFacts(
      {
          {"rollback", rollback.rollback_id()},
          {"state", StateCell(rollback)},
          {"tenant", rollback.tenant_id()},
          {"agent", rollback.agent_id()},
          {"checkpoint", rollback.checkpoint_id()},
          {"action", rollback.action_type()},
          {"target", rollback.target_resource()},
          {"saved", absl::BytesToHexString(rollback.content_digest())},
          {"restored", absl::BytesToHexString(rollback.restored_digest())},
          {"version", absl::StrCat(rollback.version())},
          {"by", FormatPrincipal(rollback.requested_by())},
          {"because", rollback.reason()},
          {"ends by", FormatTime(rollback.expire_time())},
      },
      output.color);
  for (const v1::RollbackRecord& step : rollback.steps()) {
    output.out << "  " << FormatTime(step.create_time()) << "  " << FormatEnum(step.step());
    if (step.has_taken_by()) output.out << " by " << Printable(FormatPrincipal(step.taken_by()));
    if (!step.detail().empty()) output.out << ": " << Printable(step.detail());
    output.out << "\n";
  }
}

template <typename List>
Table Tabulate(const List& list) {
  Table table({{"rollback"},
               {"state"},
               {"agent"},
               {"checkpoint"},
               {"action"},
               {"target"},
               {"asked"},
               {.title = "because", .width_max = 60}});
  for (const v1::Rollback& rollback : list.rollbacks()) {
    table.AddRow({rollback.rollback_id(), StateCell(rollback), rollback.agent_id(), rollback.checkpoint_id(),
                  rollback.action_type(), rollback.target_resource(), FormatTime(rollback.create_time()),
                  rollback.reason()});
  }
  return table;
}

absl::StatusOr<ExitCode> RunRequest(Context& context) {
  const Arguments& arguments = context.arguments;
  v1::RequestRollbackRequest request;
  request.set_tenant_id(arguments.Get("tenant"));
  request.set_reason(arguments.Get("reason"));
  request.set_request_id(arguments.Get("request_id"));
  if (arguments.word_count() == (arguments.Has("latest") ? 1 : 0)) {
    return UsageError("name either a CHECKPOINT_ID or --latest=N with --agent=AGENT");
  }
  if (arguments.Has("latest")) {
    INTERLOCK_ASSIGN_OR_RETURN(const int64_t count, arguments.GetInteger("latest", 0));
    if (count < 0 || count > kRollbacksPerRequestMax) {
      return Arguments::InvalidFlag("latest", absl::StrCat("must be 0 to ", kRollbacksPerRequestMax));
    }
    if (!arguments.Has("agent")) return Arguments::InvalidFlag("latest", "needs --agent");
    request.mutable_latest()->set_agent_id(arguments.Get("agent"));
    request.mutable_latest()->set_count(static_cast<int32_t>(count));
  } else {
    request.set_checkpoint_id(arguments.Word(0));
  }
  INTERLOCK_ASSIGN_OR_RETURN(const v1::RequestRollbackResponse asked,
                             context.client.RequestRollback(std::move(request)));
  if (context.output.json) {
    context.output.WriteJson(asked);
  } else {
    context.output.Write(Tabulate(asked));
  }
  return kExitOk;
}

absl::StatusOr<v1::Rollback> Get(const Context& context) {
  v1::GetRollbackRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_rollback_id(context.arguments.Word(0));
  return context.client.GetRollback(std::move(request));
}

absl::StatusOr<ExitCode> RunReport(Context& context) {
  const Arguments& arguments = context.arguments;
  v1::ReportRollbackRequest request;
  request.set_tenant_id(arguments.Get("tenant"));
  request.set_rollback_id(arguments.Word(0));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::RollbackState state,
                             arguments.GetEnum("state", v1::ROLLBACK_STATE_UNSPECIFIED, ParseEnum<v1::RollbackState>));
  request.set_state(state);
  if (arguments.Has("restored")) {
    INTERLOCK_ASSIGN_OR_RETURN(const std::string restored, ReadBytes(arguments.Get("restored"), context.output.in));
    request.set_restored_digest(Sha256(restored));
  }
  request.set_detail(arguments.Get("detail"));
  INTERLOCK_ASSIGN_OR_RETURN(int64_t version, arguments.GetInteger("version", 0));
  if (version == 0) {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Rollback current, Get(context));
    version = current.version();
  }
  request.set_version(version);
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Rollback told, context.client.ReportRollback(std::move(request)));
  ShowRollback(told, context.output);
  // Whoever says that it succeeded learns by the exit code that it did not.
  return state == v1::ROLLBACK_STATE_SUCCEEDED && told.state() != state ? kExitError : kExitOk;
}

absl::StatusOr<ExitCode> RunGet(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Rollback rollback, Get(context));
  ShowRollback(rollback, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> RunList(Context& context) {
  v1::ListRollbacksRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_agent_id(context.arguments.Get("agent"));
  request.set_closed(context.arguments.Has("closed"));
  return ShowList(context, request, &client::Client::ListRollbacks, &v1::ListRollbacksResponse::rollbacks_size,
                  Tabulate<v1::ListRollbacksResponse>);
}

}  // namespace

std::vector<Command> RollbackCommands() {
  constexpr PositionalSpec kRollback = {.name = "ROLLBACK_ID"};
  return {
      {.name = "rollback request",
       .summary = "asks an agent to restore a checkpoint, or its latest ones",
       .details = "  The agent restores, and reports how that went. --latest=0 restores nothing.",
       .positionals = {{.name = "CHECKPOINT_ID", .required = false}},
       .flags = {kTenantFlag,
                 {.name = "latest",
                  .value = "N",
                  .help = "the newest N that were used and not rolled back yet, 0 to 50"},
                 {.name = "agent", .value = "AGENT", .help = "with --latest: whose"},
                 {.name = "reason", .value = "TEXT", .help = "why", .required = true},
                 {.name = "request_id", .value = "ID", .help = "makes a repeat safe for 10 minutes; default: random"}},
       .run = RunRequest},
      {.name = "rollback report",
       .summary = "tells how a rollback goes: running, succeeded, failed or unverifiable",
       .details = "  succeeded needs --restored, whose SHA-256 must be that of what was saved; otherwise the\n"
                  "  rollback has failed, and the exit code is 1. Without --version it is read first.",
       .positionals = {kRollback},
       .flags = {kTenantFlag,
                 {.name = "state", .value = "STATE", .help = "where it is now", .required = true},
                 {.name = "restored",
                  .value = "TEXT",
                  .help = "the state as it was read back; @FILE reads a file, @- standard input"},
                 {.name = "detail", .value = "TEXT", .help = "what there is to say"},
                 {.name = "version", .value = "N", .help = "the version that was looked at"}},
       .run = RunReport},
      {.name = "rollback get",
       .summary = "shows one rollback with all its steps",
       .details = "",
       .positionals = {kRollback},
       .flags = {kTenantFlag},
       .run = RunGet},
      {.name = "rollback list",
       .summary = "lists what agents have to restore, in the order in which to do it",
       .details = "",
       .positionals = {},
       .flags = {kTenantFlag,
                 {.name = "agent", .value = "AGENT", .help = "only this agent's; default: all"},
                 {.name = "closed", .value = "", .help = "those that are over instead, newest first"},
                 kLimitFlag},
       .run = RunList},
  };
}

}  // namespace interlock::cli
