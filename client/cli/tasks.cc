#include "client/cli/tasks.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/input.h"
#include "client/cli/list.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"

namespace interlock::cli {
namespace {

constexpr PositionalSpec kTask = {.name = "TASK_ID"};

Cell StateCell(v1::TaskState state) {
  switch (state) {
    case v1::TASK_STATE_ACTIVE:
      return {FormatEnum(state), Color::kGreen};
    case v1::TASK_STATE_DEGRADED:
      return {FormatEnum(state), Color::kYellow};
    case v1::TASK_STATE_FAILED:
    case v1::TASK_STATE_NEEDS_INTERVENTION:
      return {FormatEnum(state), Color::kRed};
    default:
      return FormatEnum(state);
  }
}

void ShowTask(const v1::Task& task, const Output& output) {
  if (output.json) {
    output.WriteJson(task);
    return;
  }
  output.out << RenderFacts(
      {
          {"task", task.task_id()},
          {"tenant", task.tenant_id()},
          {"type", absl::StrCat(task.type(), " for ", task.target())},
          {"state", StateCell(task.state())},
          {"channel", FormatEnum(task.channel_status())},
          {"next run", FormatTime(task.next_run_time())},
          {"every", FormatDuration(task.interval())},
          {"last run", FormatTime(task.last_run_time())},
          {"last success", FormatTime(task.last_success_time())},
          {"token expires", FormatTime(task.token_expire_time())},
          {"failures in a row", absl::StrCat(task.consecutive_failures())},
          {"failure", task.failure_reason()},
          {"given up because", task.terminal_failure_reason()},
      },
      output.color);
}

Table Tabulate(const v1::ListTasksResponse& list) {
  Table table({{"task"},
               {"type"},
               {"target"},
               {"state"},
               {"channel"},
               {"next run"},
               {"last success"},
               {"failures", Align::kRight},
               {.title = "failure", .width_max = 60}});
  for (const v1::Task& task : list.tasks()) {
    table.AddRow({task.task_id(), task.type(), task.target(), StateCell(task.state()),
                  FormatEnum(task.channel_status()), FormatTime(task.next_run_time()),
                  FormatTime(task.last_success_time()), absl::StrCat(task.consecutive_failures()),
                  task.failure_reason()});
  }
  return table;
}

absl::StatusOr<ExitCode> RunList(Context& context) {
  v1::ListTasksRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  return ShowList(context, request, &client::Client::ListTasks, &v1::ListTasksResponse::tasks_size, Tabulate);
}

absl::StatusOr<ExitCode> RunGet(Context& context) {
  v1::GetTaskRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_task_id(context.arguments.Word(0));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Task task, context.client.GetTask(request));
  ShowTask(task, context.output);
  return kExitOk;
}

// A secret from a file or standard input, because words of a command line are seen by others.
absl::StatusOr<std::string> ReadSecret(const Context& context, absl::string_view flag) {
  if (!context.arguments.Has(flag)) return std::string();
  INTERLOCK_ASSIGN_OR_RETURN(const std::string text, ReadInput(context.arguments.Get(flag), context.output.in));
  return std::string(absl::StripAsciiWhitespace(text));
}

absl::StatusOr<ExitCode> RunCreate(Context& context) {
  const Arguments& arguments = context.arguments;
  v1::CreateTaskRequest request;
  v1::Task& task = *request.mutable_task();
  task.set_tenant_id(arguments.Get("tenant"));
  task.set_type(arguments.Get("type", "oauth_token"));
  task.set_target(arguments.Get("target"));
  INTERLOCK_ASSIGN_OR_RETURN(const absl::Duration interval, arguments.GetTimeSpan("interval", absl::ZeroDuration()));
  if (arguments.Has("interval")) *task.mutable_interval() = ToProto(interval);
  v1::OAuthGrant& grant = *request.mutable_oauth_grant();
  grant.set_token_endpoint(arguments.Get("token_endpoint"));
  grant.set_client_id(arguments.Get("client_id"));
  grant.set_scope(arguments.Get("scope"));
  INTERLOCK_ASSIGN_OR_RETURN(*grant.mutable_client_secret(), ReadSecret(context, "client_secret_file"));
  INTERLOCK_ASSIGN_OR_RETURN(*grant.mutable_refresh_token(), ReadSecret(context, "refresh_token_file"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Task created, context.client.CreateTask(std::move(request)));
  ShowTask(created, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> RunTrigger(Context& context) {
  v1::TriggerTaskRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_task_id(context.arguments.Word(0));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Task task, context.client.TriggerTask(std::move(request)));
  ShowTask(task, context.output);
  context.output.Note(absl::StrCat("It was queued; see how it ends with `interlockctl tasks attempts ", task.task_id(),
                                   " --tenant=", task.tenant_id(), "`."));
  return kExitOk;
}

Table TabulateAttempts(const v1::ListAttemptsResponse& list) {
  Table table({{"lease", Align::kRight},
               {"outcome"},
               {"due"},
               {"began"},
               {"ended"},
               {"by"},
               {.title = "error", .width_max = 80}});
  for (const v1::Attempt& attempt : list.attempts()) {
    const bool failed = attempt.outcome() == v1::ATTEMPT_OUTCOME_FAILED;
    table.AddRow({absl::StrCat(attempt.lease_epoch()),
                  {FormatEnum(attempt.outcome()), failed ? Color::kRed : Color::kGreen},
                  FormatTime(attempt.due_time()),
                  FormatTime(attempt.start_time()),
                  FormatTime(attempt.end_time()),
                  attempt.manual() ? FormatPrincipal(attempt.triggered_by()) : "timer",
                  attempt.error_message()});
  }
  return table;
}

absl::StatusOr<ExitCode> RunAttempts(Context& context) {
  v1::ListAttemptsRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_task_id(context.arguments.Word(0));
  return ShowList(context, request, &client::Client::ListAttempts, &v1::ListAttemptsResponse::attempts_size,
                  TabulateAttempts);
}

}  // namespace

std::vector<Command> TaskCommands() {
  return {
      {.name = "tasks list",
       .summary = "lists a tenant's tasks",
       .details = "",
       .positionals = {},
       .flags = {kTenantFlag, kLimitFlag},
       .run = RunList},
      {.name = "tasks get",
       .summary = "shows one task",
       .details = "",
       .positionals = {kTask},
       .flags = {kTenantFlag},
       .run = RunGet},
      {.name = "tasks create",
       .summary = "creates a task that keeps an OAuth token alive",
       .details = "  Secrets are read from files (- is standard input) and sealed by the server.",
       .positionals = {},
       .flags = {kTenantFlag,
                 {.name = "type", .value = "TYPE", .help = "default: oauth_token"},
                 {.name = "target", .value = "TARGET", .help = "the platform, for example gsc", .required = true},
                 {.name = "interval", .value = "TIME", .help = "between runs; default: 7d"},
                 {.name = "token_endpoint", .value = "URL", .help = "the RFC 6749 token endpoint", .required = true},
                 {.name = "client_id", .value = "ID", .help = "the client", .required = true},
                 {.name = "refresh_token_file", .value = "FILE", .help = "holds the refresh token", .required = true},
                 {.name = "client_secret_file",
                  .value = "FILE",
                  .help = "holds the client's secret; none for a public client"},
                 {.name = "scope", .value = "SCOPE", .help = "default: as granted"}},
       .run = RunCreate},
      {.name = "tasks trigger",
       .summary = "runs a task now, whatever its state",
       .details = "",
       .positionals = {kTask},
       .flags = {kTenantFlag},
       .run = RunTrigger},
      {.name = "tasks attempts",
       .summary = "lists a task's attempts, newest first",
       .details = "",
       .positionals = {kTask},
       .flags = {kTenantFlag, kLimitFlag},
       .run = RunAttempts},
  };
}

}  // namespace interlock::cli
