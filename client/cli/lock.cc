#include "client/cli/lock.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/format.h"
#include "client/cli/list.h"
#include "client/lock_watch.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"

namespace interlock::cli {
namespace {

std::string ScopeText(const v1::Lock& lock) {
  const std::string kind = FormatEnum(lock.scope().kind());
  return lock.scope().id().empty() ? kind : absl::StrCat(kind, " ", lock.scope().id());
}

Cell StateCell(const v1::Lock& lock) {
  switch (lock.state()) {
    case v1::LOCK_STATE_CLEAR:
      return {"released", Color::kGreen};
    case v1::LOCK_STATE_PROBATION:
      return {"in probation", Color::kYellow};
    case v1::LOCK_STATE_ACKNOWLEDGED:
      return {"in force, acknowledged", Color::kRed};
    case v1::LOCK_STATE_RELEASE_PENDING:
      return {
          absl::StrCat("in force, release approved by ", lock.approved_by_size(), " of ", lock.release_rule().quorum()),
          Color::kRed};
    default:
      return {"in force", Color::kRed};
  }
}

// What has to happen before it is released; empty once it is.
std::string NextStep(const v1::Lock& lock) {
  if (lock.state() == v1::LOCK_STATE_CLEAR) return "";
  if (lock.state() == v1::LOCK_STATE_PROBATION) {
    return absl::StrCat("ends at ", FormatTime(lock.probation_end_time()), " unless there is another anomaly");
  }
  std::string step;
  if (lock.state() == v1::LOCK_STATE_TRIPPED && lock.release_rule().acknowledgement_required()) {
    step = "lock acknowledge, then ";
  }
  const int missing = std::max(1, lock.release_rule().quorum() - lock.approved_by_size());
  absl::StrAppend(&step, "lock release by ", missing, missing == 1 ? " person" : " different people");
  if (lock.release_rule().has_probation()) absl::StrAppend(&step, ", then probation");
  if (lock.has_approvals_expire_time()) {
    absl::StrAppend(&step, "; what was approved counts until ", FormatTime(lock.approvals_expire_time()));
  }
  if (lock.has_end_time()) absl::StrAppend(&step, "; ends by itself at ", FormatTime(lock.end_time()));
  return step;
}

std::string StepText(const v1::LockRelease& release) {
  switch (release.step()) {
    case v1::LOCK_STEP_ACKNOWLEDGE:
      return "acknowledged";
    case v1::LOCK_STEP_APPROVE:
      return "release approved";
    case v1::LOCK_STEP_BEGIN_PROBATION:
      return "released into probation";
    case v1::LOCK_STEP_EXPIRE_APPROVALS:
      return "approvals expired";
    case v1::LOCK_STEP_PASS_PROBATION:
      return "probation passed";
    case v1::LOCK_STEP_END_MAINTENANCE:
      return "maintenance ended";
    default:
      return "released";
  }
}

std::string FirstReason(const v1::Lock& lock) { return lock.causes().empty() ? "" : lock.causes(0).reason(); }

void ShowLock(const v1::Lock& lock, const Output& output) {
  if (output.json) {
    output.WriteJson(lock);
    return;
  }
  std::vector<std::pair<std::string, Cell>> facts = {
      {"lock", lock.lock_id()},
      {"state", StateCell(lock)},
      {"tenant", lock.tenant_id()},
      {"scope", ScopeText(lock)},
      {"kind", FormatEnum(lock.kind())},
      {"version", absl::StrCat(lock.version())},
      {"engaged", FormatTime(lock.engage_time())},
      {"by", FormatPrincipal(lock.engaged_by())},
  };
  if (const std::string next = NextStep(lock); !next.empty()) facts.push_back({"release", next});
  output.out << RenderFacts(facts, output.color);
  for (const v1::LockCause& cause : lock.causes()) {
    output.out << "  " << FormatTime(cause.create_time()) << "  cause: " << Printable(cause.reason());
    if (!cause.agent_id().empty()) output.out << "  (agent " << Printable(cause.agent_id()) << ")";
    output.out << "\n";
  }
  for (const v1::LockRelease& release : lock.releases()) {
    output.out << "  " << FormatTime(release.create_time()) << "  " << StepText(release);
    if (release.has_released_by()) output.out << " by " << Printable(FormatPrincipal(release.released_by()));
    if (!release.reason().empty()) output.out << ": " << Printable(release.reason());
    output.out << "\n";
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
  if (arguments.Has("maintenance")) {
    INTERLOCK_ASSIGN_OR_RETURN(const absl::Duration length, arguments.GetTimeSpan("maintenance", absl::ZeroDuration()));
    request.set_kind(v1::LOCK_KIND_MAINTENANCE);
    *request.mutable_end_time() = ToProto(absl::Now() + length);
  }
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock lock, context.client.EngageLock(std::move(request)));
  ShowLock(lock, context.output);
  return kExitOk;
}

// A step towards the lock's release.
template <typename Request>
absl::StatusOr<ExitCode> RunStep(Context& context,
                                 absl::StatusOr<v1::Lock> (client::Client::*method)(Request, const client::CallOptions&)
                                     const) {
  Request request;
  request.set_lock_id(context.arguments.Word(0));
  request.set_reason(context.arguments.Get("reason"));
  INTERLOCK_ASSIGN_OR_RETURN(int64_t version, context.arguments.GetInteger("version", 0));
  if (version == 0) {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock current, ReadLock(context));
    version = current.version();
  }
  request.set_version(version);
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock lock, (context.client.*method)(std::move(request), {}));
  ShowLock(lock, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> RunAcknowledge(Context& context) { return RunStep(context, &client::Client::AcknowledgeLock); }

absl::StatusOr<ExitCode> RunRelease(Context& context) { return RunStep(context, &client::Client::ReleaseLock); }

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
  const FlagSpec version = {
      .name = "version", .value = "N", .help = "the version that was looked at; a lock that changed since is kept"};
  const FlagSpec reason = {.name = "reason", .value = "TEXT", .help = "why", .required = true};
  return {
      {.name = "lock list",
       .summary = "lists the locks in force and in probation",
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
            {.name = "maintenance", .value = "SPAN", .help = "a maintenance that ends by itself, e.g. 2h; at most 24h"},
            reason},
       .run = RunEngage},
      {.name = "lock acknowledge",
       .summary = "takes note of a lock, the first step of its release; only a person may",
       .details = "  Without --version the lock is read first and acknowledged as it is then.",
       .positionals = {kLock},
       .flags = {{.name = "reason", .value = "TEXT", .help = "what was seen"}, version},
       .run = RunAcknowledge},
      {.name = "lock release",
       .summary = "approves a lock's release, which the last approval needed completes; only a person may",
       .details = "  Without --version the lock is read first and released as it is then.",
       .positionals = {kLock},
       .flags = {reason, version},
       .run = RunRelease},
      {.name = "lock watch",
       .summary = "shows the locks in force and in probation, then every change as it happens",
       .details = "",
       .positionals = {},
       .flags = {kAnyTenantFlag, {.name = "once", .value = "", .help = "end after those in force"}},
       .run = RunWatch},
  };
}

}  // namespace interlock::cli
