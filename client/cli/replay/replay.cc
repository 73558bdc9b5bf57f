#include "client/cli/replay/replay.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/format.h"
#include "client/cli/replay/fleet.h"
#include "client/cli/replay/interrupt.h"
#include "client/cli/replay/own_server.h"
#include "client/cli/replay/progress.h"
#include "client/cli/replay/recording.h"
#include "client/cli/replay/report.h"
#include "core/base/limits.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"

namespace interlock::cli {
namespace {

// A recording is in no hurry; a slow disk must not end it.
constexpr absl::Duration kDeadlineMin = absl::Seconds(30);
constexpr int64_t kParallelMax = 256;
constexpr int kNotesMax = 20;
// The request time of the first run ever played on a server.
constexpr absl::Time kFirstStart = absl::FromUnixSeconds(1'735'689'600);
// After it nothing that an earlier replay did counts any more: every window is at most 24 hours long.
constexpr absl::Duration kPause = absl::Hours(25);

// Shows notes as they come, but not without end. Thread-safe.
class Notes {
 public:
  Notes(const Output& output, ProgressBar& bar) : output_(output), bar_(bar) {}

  void Add(absl::string_view text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (++count_ > kNotesMax) return;
    bar_.Clear();
    output_.Note(text);
    if (count_ == kNotesMax) output_.Note("note: further notes are left out");
  }

  void Show(double done, int64_t runs, int64_t actions) {
    const std::lock_guard<std::mutex> lock(mutex_);
    bar_.Show(done, absl::StrCat(FormatCount(runs), " runs, "), actions, "actions", absl::Now());
  }

 private:
  const Output& output_;
  ProgressBar& bar_;
  std::mutex mutex_;
  int count_ = 0;
};

absl::StatusOr<std::vector<std::string>> Profiles(const Arguments& arguments) {
  const std::string profile = arguments.Get("profile", "tool_calling");
  if (profile == "both") return std::vector<std::string>{"reference", "tool_calling"};
  if (profile == "reference" || profile == "tool_calling") return std::vector<std::string>{profile};
  return Arguments::InvalidFlag("profile", "must be reference, tool_calling or both");
}

// The server to play against: the one that was named, or one of our own.
absl::StatusOr<std::unique_ptr<OwnServer>> StartServer(const Context& context, client::ClientOptions& options) {
  const bool start_given = context.arguments.Has("interlockd");
  if (start_given && context.arguments.Has("address")) {
    return UsageError("--interlockd starts a server, --address names a running one; give only one of them");
  }
  if (context.address_given && !start_given) return nullptr;
  INTERLOCK_ASSIGN_OR_RETURN(const std::string program, FindServerProgram(context.arguments.Get("interlockd")));
  INTERLOCK_ASSIGN_OR_RETURN(std::unique_ptr<OwnServer> server, OwnServer::Start(program, {"--time_source=request"}));
  options.address = server->address();
  return server;
}

// Counts the alerts that the replay caused: all after `head` about its tenants.
absl::Status CountAlerts(const client::Client& client, int64_t head, const std::string& tenant_prefix,
                         FleetResult& result) {
  std::map<std::string, Tally*> by_tenant;
  for (auto& [agent, tally] : result.agents) by_tenant[MakeName(absl::StrCat(tenant_prefix, agent))] = &tally;
  v1::ListAlertsRequest request;
  request.set_after_sequence(head);
  request.set_page_size(kPageSizeMax);
  // Page by page, since there may be many.
  do {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::ListAlertsResponse page, client.ListAlerts(request));
    for (const v1::Alert& alert : page.alerts()) {
      const auto tally = by_tenant.find(alert.tenant_id());
      if (tally != by_tenant.end()) ++tally->second->alerts[alert.type()];
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

// Plays the recording once, under one profile.
absl::StatusOr<FleetResult> PlayProfile(const Context& context, const client::Client& client, FleetOptions options) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ServerInfo info, client.GetServerInfo({}));
  if (info.time_source() == v1::TIME_SOURCE_REQUEST) {
    options.play.start = std::max(kFirstStart, FromProto(info.engine_time()) + kPause);
  }
  ProgressBar bar(context.output.err, context.output.progress, absl::Now());
  Notes notes(context.output, bar);
  options.play.note = [&notes](absl::string_view text) { notes.Add(text); };
  options.progress = [&notes](double done, int64_t runs, int64_t actions) { notes.Show(done, runs, actions); };
  INTERLOCK_ASSIGN_OR_RETURN(FleetResult result, PlayRecording(context.arguments.Word(0), options));
  INTERLOCK_RETURN_IF_ERROR(CountAlerts(client, info.alert_sequence(), options.play.tenant_prefix, result));
  return result;
}

absl::StatusOr<FleetOptions> MakeOptions(const Context& context) {
  FleetOptions options;
  options.client = context.client_options;
  options.client.deadline = std::max(options.client.deadline, kDeadlineMin);
  options.client.retry.tries_max = 0;
  options.play.keep_locks = context.arguments.Has("keep_locks");
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t parallel, context.arguments.GetInteger("parallel", options.parallel));
  if (parallel < 1 || parallel > kParallelMax) {
    return Arguments::InvalidFlag("parallel", absl::StrCat("must be 1..", kParallelMax));
  }
  options.parallel = static_cast<int>(parallel);
  return options;
}

absl::Status WarnOfWallClock(const client::Client& client, const Output& output) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ServerInfo info, client.GetServerInfo({}));
  if (info.time_source() == v1::TIME_SOURCE_REQUEST) return absl::OkStatus();
  output.Note(
      "warning: this server goes by the wall clock, so its rate and repetition rules see hours of recorded runs within "
      "seconds; leave out --address to replay in recorded time");
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> RunReplay(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::vector<std::string> profiles, Profiles(context.arguments));
  INTERLOCK_ASSIGN_OR_RETURN(FleetOptions options, MakeOptions(context));
  INTERLOCK_RETURN_IF_ERROR(Recording::Open(context.arguments.Word(0)).status());
  const InterruptGuard guard;
  options.stop = &guard.interrupted();
  INTERLOCK_ASSIGN_OR_RETURN(const std::unique_ptr<OwnServer> server, StartServer(context, options.client));
  const client::Client client(options.client);
  INTERLOCK_RETURN_IF_ERROR(WarnOfWallClock(client, context.output));
  std::vector<FleetResult> results;
  for (const std::string& profile : profiles) {
    options.play.profile = profile;
    // Two profiles on one server need a tenant each for every agent.
    if (profiles.size() > 1 && profile == "reference") options.play.tenant_prefix = "replay-reference-";
    if (profile == "tool_calling") options.play.tenant_prefix = "replay-";
    if (context.output.progress) context.output.Note(absl::StrCat("profile ", profile, ":"));
    INTERLOCK_ASSIGN_OR_RETURN(FleetResult result, PlayProfile(context, client, options));
    results.push_back(std::move(result));
    if (results.back().stopped) break;
  }
  if (context.output.json) {
    context.output.WriteJson(ReportAsJson(results));
  } else {
    context.output.out << RenderReport(results, context.output.color);
  }
  if (results.back().stopped) context.output.Note("error: interrupted; the recording was not played to its end");
  const int64_t bad_lines = results[0].bad_lines;
  if (bad_lines > 0) context.output.Note(absl::StrCat("error: ", bad_lines, " lines are no runs"));
  const Tally total = results.back().Total();
  const bool clean = bad_lines == 0 && !results.back().stopped && total.unanswered == 0 && total.refused_reports == 0;
  return clean ? kExitOk : kExitError;
}

}  // namespace

std::vector<Command> ReplayCommands() {
  return {{
      .name = "replay",
      .summary = "plays recorded runs of agents through a server and shows its verdicts",
      .details =
          "  FILE is JSON lines, gzipped or not: a run a line with agent, mode, utility, duration_s, n_turns,\n"
          "  tool_errors and actions [{name, args}]. Each call is decided before the next, each run's result is\n"
          "  reported, and a lock that trips is counted and released before the agent's next run. Agent A acts\n"
          "  in the tenant replay-A. Without --address a server of its own is started and ended.\n"
          "  Exits with 1 if a line is no run, or a call got no verdict.",
      .positionals = {{.name = "FILE"}},
      .flags = {{.name = "profile",
                 .value = "PROFILE",
                 .help = "reference, tool_calling or both, side by side; default: tool_calling"},
                {.name = "keep_locks", .value = "", .help = "locks stay in force"},
                {.name = "parallel", .value = "N", .help = "agents played at once; default: 16"},
                {.name = "interlockd",
                 .value = "PROGRAM",
                 .help = "the server to start; default: beside interlockctl, in PATH or in bazel-bin"}},
      .run = RunReplay,
  }};
}

}  // namespace interlock::cli
