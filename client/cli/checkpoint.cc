#include "client/cli/checkpoint.h"

#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/input.h"
#include "client/cli/list.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

// What has become of it.
Cell UseCell(const v1::Checkpoint& checkpoint) {
  if (!checkpoint.rollback_id().empty()) {
    const bool restored = checkpoint.rollback_state() == v1::ROLLBACK_STATE_SUCCEEDED;
    return {absl::StrCat(checkpoint.rollback_id(), " ", FormatEnum(checkpoint.rollback_state())),
            restored ? Color::kGreen : Color::kYellow};
  }
  if (!checkpoint.used_by().empty()) return absl::StrCat("used by ", checkpoint.used_by());
  return {"can be used", Color::kGreen};
}

void ShowCheckpoint(const v1::Checkpoint& checkpoint, const Output& output) {
  if (output.json) {
    output.WriteJson(checkpoint);
    return;
  }
  output.out << RenderFacts(
      {
          {"checkpoint", checkpoint.checkpoint_id()},
          {"is", UseCell(checkpoint)},
          {"tenant", checkpoint.tenant_id()},
          {"agent", checkpoint.agent_id()},
          {"action", checkpoint.action_type()},
          {"target", checkpoint.target_resource()},
          {"state", absl::StrCat(FormatCount(checkpoint.state_bytes()), " bytes ", checkpoint.media_type())},
          {"SHA-256", absl::BytesToHexString(checkpoint.content_digest())},
          {"created", FormatTime(checkpoint.create_time())},
          {"by", FormatPrincipal(checkpoint.created_by())},
          {"used by", checkpoint.used_by()},
          {"kept until", FormatTime(checkpoint.expire_time())},
      },
      output.color);
}

Table Tabulate(const v1::ListCheckpointsResponse& list) {
  Table table({{"checkpoint"}, {"agent"}, {"action"}, {"target"}, {"bytes"}, {"created"}, {"kept until"}, {"is"}});
  for (const v1::Checkpoint& checkpoint : list.checkpoints()) {
    table.AddRow({checkpoint.checkpoint_id(), checkpoint.agent_id(), checkpoint.action_type(),
                  checkpoint.target_resource(), FormatCount(checkpoint.state_bytes()),
                  FormatTime(checkpoint.create_time()), FormatTime(checkpoint.expire_time()), UseCell(checkpoint)});
  }
  return table;
}

absl::StatusOr<ExitCode> RunCreate(Context& context) {
  const Arguments& arguments = context.arguments;
  v1::CreateCheckpointRequest request;
  request.set_tenant_id(arguments.Get("tenant"));
  request.set_agent_id(arguments.Get("agent"));
  request.set_action_type(arguments.Get("type"));
  request.set_target_resource(arguments.Get("target"));
  request.set_media_type(arguments.Get("media_type"));
  INTERLOCK_ASSIGN_OR_RETURN(*request.mutable_state(), ReadBytes(arguments.Get("state"), context.output.in));
  request.set_content_digest(Sha256(request.state()));
  request.set_request_id(arguments.Get("request_id"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Checkpoint created, context.client.CreateCheckpoint(std::move(request)));
  ShowCheckpoint(created, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> RunGet(Context& context) {
  v1::GetCheckpointRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_checkpoint_id(context.arguments.Word(0));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Checkpoint checkpoint, context.client.GetCheckpoint(std::move(request)));
  if (context.arguments.Has("state")) {
    context.output.out << checkpoint.state();
  } else {
    ShowCheckpoint(checkpoint, context.output);
  }
  return kExitOk;
}

absl::StatusOr<ExitCode> RunList(Context& context) {
  v1::ListCheckpointsRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_agent_id(context.arguments.Get("agent"));
  return ShowList(context, request, &client::Client::ListCheckpoints, &v1::ListCheckpointsResponse::checkpoints_size,
                  Tabulate);
}

}  // namespace

std::vector<Command> CheckpointCommands() {
  return {
      {.name = "checkpoint create",
       .summary = "saves state before an action, so that the action can be undone",
       .details = "  Give its id to decide with --checkpoint; it can be used once, within 24 hours.",
       .positionals = {},
       .flags = {kTenantFlag,
                 {.name = "agent", .value = "AGENT", .help = "the agent that will act", .required = true},
                 {.name = "type", .value = "TYPE", .help = "what kind of action it will be", .required = true},
                 {.name = "target", .value = "RESOURCE", .help = "what will be acted on"},
                 {.name = "state",
                  .value = "TEXT",
                  .help = "what to save, at most 256 KiB; @FILE reads a file, @- standard input",
                  .required = true},
                 {.name = "media_type", .value = "TYPE", .help = "what kind of bytes, for example application/json"},
                 {.name = "request_id", .value = "ID", .help = "makes a repeat safe for 10 minutes; default: random"}},
       .run = RunCreate},
      {.name = "checkpoint get",
       .summary = "shows one checkpoint, or writes the state that it holds",
       .details = "",
       .positionals = {{.name = "CHECKPOINT_ID"}},
       .flags = {kTenantFlag, {.name = "state", .value = "", .help = "writes the saved bytes and nothing else"}},
       .run = RunGet},
      {.name = "checkpoint list",
       .summary = "lists what was saved, newest first, and what has become of it",
       .details = "",
       .positionals = {},
       .flags = {kTenantFlag,
                 {.name = "agent", .value = "AGENT", .help = "only this agent's; default: all"},
                 kLimitFlag},
       .run = RunList},
  };
}

}  // namespace interlock::cli
