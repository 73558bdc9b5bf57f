#include "client/cli/status.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

std::string AgentsByTier(const v1::FleetStats& stats, bool color) {
  std::string text;
  for (int tier = 0; tier < stats.agents_by_tier_size(); ++tier) {
    absl::StrAppend(&text, tier == 0 ? "" : ", ",
                    Paint(absl::StrCat("tier ", tier, ": ", stats.agents_by_tier(tier)),
                          stats.agents_by_tier(tier) == 0 ? Color::kDim : TierColor(tier), color));
  }
  return text;
}

absl::StatusOr<ExitCode> RunStatus(Context& context) {
  const Output& output = context.output;
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ServerInfo info, context.client.GetServerInfo({}));
  if (output.json) {
    output.WriteJson(info);
    return kExitOk;
  }
  INTERLOCK_ASSIGN_OR_RETURN(const v1::FleetStats stats, context.client.GetFleetStats({}));
  const bool locked = info.active_lock_count() > 0;
  output.out << RenderFacts(
      {
          {"server", absl::StrCat(context.client_options.address, ", version ", info.version())},
          {"started", FormatTime(info.start_time())},
          {"engine time",
           absl::StrCat(FormatTime(info.engine_time()), " (", FormatEnum(info.time_source()), " clock)")},
          {"store", absl::StrCat("epoch ", info.epoch(), ", format ", info.format_version())},
          {"default profile", info.default_profile()},
          {"you are", info.caller()},
          {"tenants", FormatCount(info.tenant_count())},
          {"agents", FormatCount(info.agent_count())},
          {"tasks", FormatCount(info.task_count())},
          {"decisions", FormatCount(info.decision_sequence())},
          {"alerts", FormatCount(info.alert_sequence())},
          {"audit rows", FormatCount(info.audit_sequence())},
          {"audit key", absl::BytesToHexString(info.audit_public_key())},
          {"open episodes", FormatCount(stats.open_episode_count())},
          {"locks in force", {FormatCount(info.active_lock_count()), locked ? Color::kRed : Color::kGreen}},
      },
      output.color);
  output.out << output.Painted("agents by tier ", Color::kDim) << " " << AgentsByTier(stats, output.color) << "\n";
  return kExitOk;
}

}  // namespace

std::vector<Command> StatusCommands() {
  return {{.name = "status",
           .summary = "shows what the server is and how it stands",
           .details = "",
           .positionals = {},
           .flags = {},
           .run = RunStatus}};
}

}  // namespace interlock::cli
