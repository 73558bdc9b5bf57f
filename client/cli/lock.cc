#include "client/cli/lock.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/list.h"
#include "client/lock_watch.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

std::string ScopeText(const v1::Lock& lock) {
  const std::string kind = FormatEnum(lock.scope().kind());
  return lock.scope().id().empty() ? kind : absl::StrCat(kind, " ", lock.scope().id());
}

Cell StateCell(const v1::Lock& lock) {
  return lock.state() == v1::LOCK_STATE_CLEAR ? Cell("released", Color::kGreen) : Cell("in force", Color::kRed);
}

std::string FirstReason(const v1::Lock& lock) { return lock.causes().empty() ? "" : lock.causes(0).reason(); }

void ShowLock(const v1::Lock& lock, const Output& output) {
  if (output.json) {
    output.WriteJson(lock);
    return;
  }
  output.out << RenderFacts(
      {
          {"lock", lock.lock_id()},
          {"state", StateCell(lock)},
          {"tenant", lock.tenant_id()},
          {"scope", ScopeText(lock)},
          {"kind", FormatEnum(lock.kind())},
          {"version", absl::StrCat(lock.version())},
          {"engaged", FormatTime(lock.engage_time())},
          {"by", FormatPrincipal(lock.engaged_by())},
      },
      output.color);
  for (const v1::LockCause& cause : lock.causes()) {
    output.out << "  " << FormatTime(cause.create_time()) << "  cause: " << Printable(cause.reason());
    if (!cause.agent_id().empty()) output.out << "  (agent " << Printable(cause.agent_id()) << ")";
    output.out << "\n";
  }
  for (const v1::LockRelease& release : lock.releases()) {
    output.out << "  " << FormatTime(release.create_time()) << "  released by "
               << Printable(FormatPrincipal(release.released_by())) << ": " << Printable(release.reason()) << "\n";
  }
}

Table Tabulate(const v1::ListLocksResponse& list) {
  Table table({{"lock"},
               {"tenant"},
               {"scope"},
               {"kind"},
               {"state"},
               {"version", Align::kRight},
               {"engaged"},
               {.title = "first cause", .width_max = 100}});
  for (const v1::Lock& lock : list.locks()) {
    table.AddRow({lock.lock_id(), lock.tenant_id(), ScopeText(lock), FormatEnum(lock.kind()), StateCell(lock),
                  absl::StrCat(lock.version()), FormatTime(lock.engage_time()), FirstReason(lock)});
  }
  return table;
}

absl::StatusOr<ExitCode> RunList(Context& context) {
  v1::ListLocksRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  request.set_include_clear(context.arguments.Has("all"));
  return ShowList(context, request, &client::Client::ListLocks, &v1::ListLocksResponse::locks_size, Tabulate);
}

absl::StatusOr<v1::Lock> ReadLock(const Context& context) {
  v1::GetLockRequest request;
  request.set_lock_id(context.arguments.Word(0));
  return context.client.GetLock(request);
}

absl::StatusOr<ExitCode> RunGet(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock lock, ReadLock(context));
  ShowLock(lock, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> RunEngage(Context& context) {
  const Arguments& arguments = context.arguments;
  v1::EngageLockRequest request;
  request.set_tenant_id(arguments.Get("tenant"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ScopeKind kind,
                             arguments.GetEnum("scope", v1::SCOPE_KIND_UNSPECIFIED, ParseEnum<v1::ScopeKind>));
  request.mutable_scope()->set_kind(kind);
  request.mutable_scope()->set_id(arguments.Get("id"));
  if (kind == v1::SCOPE_KIND_TENANT && !arguments.Has("id")) {
    request.mutable_scope()->set_id(arguments.Get("tenant"));
  }
  request.set_reason(arguments.Get("reason"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock lock, context.client.EngageLock(std::move(request)));
  ShowLock(lock, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> RunRelease(Context& context) {
  v1::ReleaseLockRequest request;
  request.set_lock_id(context.arguments.Word(0));
  request.set_reason(context.arguments.Get("reason"));
  INTERLOCK_ASSIGN_OR_RETURN(int64_t version, context.arguments.GetInteger("version", 0));
  if (version == 0) {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock current, ReadLock(context));
    version = current.version();
  }
  request.set_version(version);
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock lock, context.client.ReleaseLock(std::move(request)));
  ShowLock(lock, context.output);
  return kExitOk;
}

// One line for one message of a watch.
void ShowChange(const v1::WatchLocksResponse& message, const Output& output) {
  if (output.json) {
    output.WriteJson(message);
  } else if (message.has_lock()) {
    const v1::Lock& lock = message.lock();
    const Cell state = StateCell(lock);
    output.out << output.Painted(state.text, state.color) << "  " << Printable(lock.lock_id()) << "  "
               << Printable(lock.tenant_id()) << "  " << Printable(ScopeText(lock)) << "  "
               << Printable(FirstReason(lock)) << std::endl;
  } else if (message.snapshot_end()) {
    output.Note("These are the locks in force; changes follow.");
  }
}

absl::StatusOr<ExitCode> RunWatch(Context& context) {
  v1::WatchLocksRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  // A first call fails at once where the watch would wait for the server.
  INTERLOCK_RETURN_IF_ERROR(context.client.GetServerInfo({}).status());
  client::LockWatch watch(context.client, request, [&](const absl::Status& status) {
    context.output.Note(absl::StrCat("The watch broke (", status.message(), ") and begins anew."));
  });
  const bool once = context.arguments.Has("once");
  while (true) {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::WatchLocksResponse message, watch.Next());
    ShowChange(message, context.output);
    if (once && message.snapshot_end()) return kExitOk;
  }
}

}  // namespace

std::vector<Command> LockCommands() {
  constexpr PositionalSpec kLock = {.name = "LOCK_ID"};
  const FlagSpec reason = {.name = "reason", .value = "TEXT", .help = "why", .required = true};
  return {
      {.name = "lock list",
       .summary = "lists the locks in force",
       .details = "",
       .positionals = {},
       .flags = {kAnyTenantFlag, {.name = "all", .value = "", .help = "released ones too"}, kLimitFlag},
       .run = RunList},
      {.name = "lock get",
       .summary = "shows one lock with its causes",
       .details = "",
       .positionals = {kLock},
       .flags = {},
       .run = RunGet},
      {.name = "lock engage",
       .summary = "stops everything in a scope until the lock is released",
       .details = "",
       .positionals = {},
       .flags =
           {{.name = "tenant", .value = "TENANT", .help = "the tenant; none for the fleet"},
            {.name = "scope", .value = "KIND", .help = "fleet, tenant, category, agent or resource", .required = true},
            {.name = "id", .value = "ID", .help = "the category, agent or resource"},
            reason},
       .run = RunEngage},
      {.name = "lock release",
       .summary = "releases a lock; only a person may",
       .details = "  Without --version the lock is read first and released as it is then.",
       .positionals = {kLock},
       .flags = {reason,
                 {.name = "version",
                  .value = "N",
                  .help = "the version that was looked at; a lock that changed since is kept"}},
       .run = RunRelease},
      {.name = "lock watch",
       .summary = "shows the locks in force, then every change as it happens",
       .details = "",
       .positionals = {},
       .flags = {kAnyTenantFlag, {.name = "once", .value = "", .help = "end after those in force"}},
       .run = RunWatch},
  };
}

}  // namespace interlock::cli
