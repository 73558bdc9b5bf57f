#include "client/cli/approval.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/list.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"
#include "google/protobuf/util/json_util.h"

namespace interlock::cli {
namespace {

Cell StateCell(const v1::Approval& approval) {
  switch (approval.state()) {
    case v1::APPROVAL_STATE_PENDING:
      if (approval.votes().empty()) return {"pending", Color::kYellow};
      return {absl::StrCat("pending, approved by ", approval.votes_size(), " of ", approval.quorum()), Color::kYellow};
    case v1::APPROVAL_STATE_APPROVED:
      return {"approved", Color::kGreen};
    case v1::APPROVAL_STATE_REJECTED:
    case v1::APPROVAL_STATE_VOIDED:
      return {FormatEnum(approval.state()), Color::kRed};
    default:
      return FormatEnum(approval.state());
  }
}

std::string ParametersText(const v1::Action& action) {
  std::string json;
  if (action.has_parameters()) {
    const auto status = google::protobuf::util::MessageToJsonString(action.parameters(), &json);
    if (!status.ok()) return "";
  }
  return json;
}

std::string FirstReason(const v1::Approval& approval) {
  return approval.reasons().empty() ? "" : approval.reasons().rbegin()->text();
}

void ShowApproval(const v1::Approval& approval, const Output& output) {
  if (output.json) {
    output.WriteJson(approval);
    return;
  }
  const v1::Action& action = approval.action();
  output.out << RenderFacts(
      {
          {"approval", approval.approval_id()},
          {"state", StateCell(approval)},
          {"tenant", approval.tenant_id()},
          {"action", action.action_type()},
          {"agent", action.agent_id()},
          {"target", action.target_resource()},
          {"parameters", ParametersText(action)},
          {"category", approval.category()},
          {"risk", FormatEnum(approval.risk_level())},
          {"needs", absl::StrCat(approval.quorum(), approval.quorum() == 1 ? " person" : " different people",
                                 approval.under_lock() ? "; asked for under a lock" : "")},
          {"version", absl::StrCat(approval.version())},
          {"asked", FormatTime(approval.create_time())},
          {"by", FormatPrincipal(approval.requested_by())},
          {"valid until", FormatTime(approval.expire_time())},
          {"used by", approval.consumed_by()},
          {"voided by", approval.lock_id()},
      },
      output.color);
  for (const v1::Reason& reason : approval.reasons()) output.out << "  · " << Printable(reason.text()) << "\n";
  for (const v1::ApprovalVote& vote : approval.votes()) {
    output.out << "  " << FormatTime(vote.create_time()) << "  " << (vote.approve() ? "approved" : "rejected") << " by "
               << Printable(FormatPrincipal(vote.voter()));
    if (!vote.comment().empty()) output.out << ": " << Printable(vote.comment());
    output.out << "\n";
  }
}

Table Tabulate(const v1::ListApprovalsResponse& list) {
  Table table({{"approval"},
               {"state"},
               {"agent"},
               {"action"},
               {"target"},
               {"risk"},
               {"valid until"},
               {.title = "why", .width_max = 80}});
  for (const v1::Approval& approval : list.approvals()) {
    table.AddRow({approval.approval_id(), StateCell(approval), approval.action().agent_id(),
                  approval.action().action_type(), approval.action().target_resource(),
                  FormatEnum(approval.risk_level()), FormatTime(approval.expire_time()), FirstReason(approval)});
  }
  return table;
}

absl::StatusOr<ExitCode> RunList(Context& context) {
  v1::ListApprovalsRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_closed(context.arguments.Has("closed"));
  return ShowList(context, request, &client::Client::ListApprovals, &v1::ListApprovalsResponse::approvals_size,
                  Tabulate);
}

// A request that names the approval of the command line.
template <typename Request>
Request Named(const Context& context) {
  Request request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_approval_id(context.arguments.Word(0));
  return request;
}

absl::StatusOr<ExitCode> RunGet(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Approval approval,
                             context.client.GetApproval(Named<v1::GetApprovalRequest>(context)));
  ShowApproval(approval, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> Decide(Context& context, bool approve) {
  auto request = Named<v1::DecideApprovalRequest>(context);
  INTERLOCK_ASSIGN_OR_RETURN(int64_t version, context.arguments.GetInteger("version", 0));
  if (version == 0) {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Approval current,
                               context.client.GetApproval(Named<v1::GetApprovalRequest>(context)));
    version = current.version();
  }
  request.set_version(version);
  request.set_approve(approve);
  request.set_comment(context.arguments.Get("comment"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Approval decided, context.client.DecideApproval(std::move(request)));
  ShowApproval(decided, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> RunApprove(Context& context) { return Decide(context, true); }

absl::StatusOr<ExitCode> RunReject(Context& context) { return Decide(context, false); }

// Waits until it is decided or over, however long that takes.
absl::StatusOr<ExitCode> RunWait(Context& context) {
  for (;;) {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Approval approval,
                               context.client.WaitApproval(Named<v1::WaitApprovalRequest>(context)));
    if (approval.state() == v1::APPROVAL_STATE_PENDING) continue;
    ShowApproval(approval, context.output);
    return approval.state() == v1::APPROVAL_STATE_APPROVED ? kExitOk : kExitDeny;
  }
}

}  // namespace

std::vector<Command> ApprovalCommands() {
  constexpr PositionalSpec kApproval = {.name = "APPROVAL_ID"};
  const FlagSpec version = {
      .name = "version", .value = "N", .help = "the version that was looked at; what changed since is not decided"};
  const FlagSpec comment = {.name = "comment", .value = "TEXT", .help = "why"};
  return {
      {.name = "approval list",
       .summary = "lists what waits for people, and what they have decided and is not used yet",
       .details = "",
       .positionals = {},
       .flags = {kTenantFlag, {.name = "closed", .value = "", .help = "those that are over instead"}, kLimitFlag},
       .run = RunList},
      {.name = "approval get",
       .summary = "shows one approval with its action and votes",
       .details = "",
       .positionals = {kApproval},
       .flags = {kTenantFlag},
       .run = RunGet},
      {.name = "approval approve",
       .summary = "approves an action, once; only a person other than who asked may",
       .details = "  Without --version the approval is read first and decided as it is then.",
       .positionals = {kApproval},
       .flags = {kTenantFlag, comment, version},
       .run = RunApprove},
      {.name = "approval reject",
       .summary = "rejects an action; it is not asked for again until the approval's time is up",
       .details = "  Without --version the approval is read first and decided as it is then.",
       .positionals = {kApproval},
       .flags = {kTenantFlag, comment, version},
       .run = RunReject},
      {.name = "approval wait",
       .summary = "waits until an approval is not pending any more",
       .details = "  Exits with 0 if it is approved, with 3 if it is anything else.",
       .positionals = {kApproval},
       .flags = {kTenantFlag},
       .run = RunWait},
  };
}

}  // namespace interlock::cli
