#include "client/cli/alerts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/alert_subscription.h"
#include "client/cli/format.h"
#include "client/cli/list.h"
#include "client/error.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

// What an alert is about in a few words.
std::string Subject(const v1::Alert& alert) {
  const v1::Evidence& evidence = alert.diagnostic_brief().evidence();
  if (!evidence.lock_id().empty()) {
    return absl::StrCat(evidence.lock_id(), ": ", evidence.lock_reason());
  }
  return absl::StrJoin(evidence.breached_metrics(), ", ", [](std::string* text, int metric) {
    absl::StrAppend(text, FormatEnum(static_cast<v1::Metric>(metric)));
  });
}

std::vector<Column> Columns() {
  return {{"sequence", Align::kRight},
          {"time"},
          {"tier", Align::kRight},
          {"type"},
          {"transition"},
          {"tenant"},
          {"agent"},
          {.title = "about", .width_max = 100}};
}

std::vector<Cell> Row(const v1::Alert& alert) {
  return {absl::StrCat(alert.sequence()),
          FormatTime(alert.create_time()),
          {absl::StrCat(alert.tier()), TierColor(alert.tier())},
          alert.type(),
          FormatEnum(alert.transition()),
          alert.tenant_id(),
          alert.agent_id(),
          Subject(alert)};
}

v1::AlertFilter MakeFilter(const Arguments& arguments) {
  v1::AlertFilter filter;
  filter.set_agent_id(arguments.Get("agent"));
  if (arguments.Has("type")) filter.add_types(arguments.Get("type"));
  return filter;
}

absl::StatusOr<int32_t> MinTier(const Arguments& arguments, int64_t otherwise) {
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t tier, arguments.GetInteger("min_tier", otherwise));
  if (tier < 0 || tier > 3) return Arguments::InvalidFlag("min_tier", "must be 0..3");
  return static_cast<int32_t>(tier);
}

Table Tabulate(const v1::ListAlertsResponse& list) {
  Table table(Columns());
  for (const v1::Alert& alert : list.alerts()) table.AddRow(Row(alert));
  return table;
}

absl::StatusOr<ExitCode> RunList(Context& context) {
  const Arguments& arguments = context.arguments;
  v1::ListAlertsRequest request;
  request.set_tenant_id(arguments.Get("tenant"));
  INTERLOCK_ASSIGN_OR_RETURN(const int32_t min_tier, MinTier(arguments, 0));
  request.set_min_tier(min_tier);
  *request.mutable_filter() = MakeFilter(arguments);
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t after, arguments.GetInteger("after", 0));
  request.set_after_sequence(after);
  return ShowList(context, request, &client::Client::ListAlerts, &v1::ListAlertsResponse::alerts_size, Tabulate);
}

// An alert on a line of its own, for a list that has no end.
void ShowAlert(const v1::Alert& alert, const Output& output) {
  if (output.json) {
    output.WriteJson(alert);
    return;
  }
  std::string line;
  for (const Cell& cell : Row(alert)) {
    if (cell.text.empty()) continue;
    absl::StrAppend(&line, line.empty() ? "" : "  ", output.Painted(Printable(cell.text), cell.color));
  }
  output.out << line << std::endl;
}

absl::StatusOr<v1::SubscribeAlertsRequest> MakeSubscription(const Arguments& arguments) {
  v1::SubscribeAlertsRequest request;
  request.set_tenant_id(arguments.Get("tenant"));
  INTERLOCK_ASSIGN_OR_RETURN(const int32_t min_tier, MinTier(arguments, 3));
  request.set_min_tier(min_tier);
  *request.mutable_filter() = MakeFilter(arguments);
  if (arguments.Has("after")) {
    INTERLOCK_ASSIGN_OR_RETURN(const int64_t after, arguments.GetInteger("after", 0));
    request.set_after_sequence(after);
    request.set_epoch(arguments.Get("epoch"));
  } else {
    request.set_from_now(true);
  }
  return request;
}

absl::StatusOr<ExitCode> RunWatch(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::SubscribeAlertsRequest request, MakeSubscription(context.arguments));
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t count, context.arguments.GetInteger("count", 0));
  // A first call fails at once where the subscription would wait for the server.
  INTERLOCK_RETURN_IF_ERROR(context.client.GetServerInfo({}).status());
  client::AlertSubscription subscription(context.client, request, [&](const absl::Status& status) {
    context.output.Note(absl::StrCat("The stream broke (", status.message(), ") and is taken up again."));
  });
  INTERLOCK_RETURN_IF_ERROR(subscription.WaitUntilOpen(context.client_options.deadline));
  const client::AlertPosition start = subscription.position();
  context.output.Note(
      absl::StrCat("Watching after sequence ", start.sequence, " of epoch ", start.epoch, "; Ctrl-C ends."));
  int64_t shown = 0;
  const absl::Status end = subscription.Run([&](const v1::Alert& alert) {
    ShowAlert(alert, context.output);
    return ++shown != count;
  });
  if (const auto lost = client::LostCount(end); lost.has_value()) {
    context.output.Note(absl::StrCat(*lost, " alerts were cut from the log unseen."));
  }
  if (!end.ok()) return end;
  return kExitOk;
}

Table TabulateUserAlerts(const v1::ListUserAlertsResponse& list) {
  Table table({{"time"}, {"severity"}, {"title"}, {.title = "message", .width_max = 100}, {"task"}});
  for (const v1::UserAlert& alert : list.user_alerts()) {
    const bool error = alert.severity() == "error";
    table.AddRow({FormatTime(alert.create_time()),
                  {alert.severity(), error ? Color::kRed : Color::kYellow},
                  alert.title(),
                  alert.message(),
                  alert.task_id()});
  }
  return table;
}

absl::StatusOr<ExitCode> RunUser(Context& context) {
  v1::ListUserAlertsRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  return ShowList(context, request, &client::Client::ListUserAlerts, &v1::ListUserAlertsResponse::user_alerts_size,
                  TabulateUserAlerts);
}

}  // namespace

std::vector<Command> AlertCommands() {
  const FlagSpec agent = {.name = "agent", .value = "AGENT", .help = "only this agent's"};
  const FlagSpec type = {.name = "type", .value = "TYPE", .help = "only systemic_anomaly, anomaly or lock"};
  return {
      {.name = "alerts watch",
       .summary = "shows alerts as they happen, each once and without a gap",
       .details = "  A stream that breaks is taken up again after the last alert.",
       .positionals = {},
       .flags = {kAnyTenantFlag,
                 {.name = "min_tier", .value = "0..3", .help = "at least this tier; default: 3"},
                 agent,
                 type,
                 {.name = "after", .value = "N", .help = "after this sequence; default: from now"},
                 {.name = "epoch", .value = "EPOCH", .help = "the store that --after belongs to"},
                 {.name = "count", .value = "N", .help = "end after N alerts"}},
       .run = RunWatch},
      {.name = "alerts list",
       .summary = "lists alerts of the log, oldest first",
       .details = "",
       .positionals = {},
       .flags = {kAnyTenantFlag,
                 {.name = "min_tier", .value = "0..3", .help = "at least this tier; default: all"},
                 agent,
                 type,
                 {.name = "after", .value = "N", .help = "after this sequence"},
                 kLimitFlag},
       .run = RunList},
      {.name = "alerts user",
       .summary = "lists the messages to a tenant's users, newest first",
       .details = "",
       .positionals = {},
       .flags = {kTenantFlag, kLimitFlag},
       .run = RunUser},
  };
}

}  // namespace interlock::cli
