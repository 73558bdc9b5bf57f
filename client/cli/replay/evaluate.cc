#include "client/cli/replay/evaluate.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/policy_input.h"
#include "client/cli/replay/evaluate_report.h"
#include "client/cli/replay/recording.h"
#include "client/cli/replay/run.h"
#include "client/cli/replay/script.h"
#include "core/base/status_macros.h"
#include "core/replay/replay.h"

namespace interlock::cli {
namespace {

// Runs that are read before they are replayed, so that reading and replaying are timed apart; some tens of megabytes.
constexpr size_t kRunsAtOnce = 4096;
constexpr int64_t kNotesMax = 20;
// The request time of each agent's first run.
constexpr absl::Time kFirstStart = absl::FromUnixSeconds(1'735'689'600);

// A run as what an engine is asked.
struct Events {
  std::vector<v1::ArbitrateRequest> actions;
  v1::RecordDataPointsRequest report;
};

// The policy that a flag names: a built-in profile, or a file as `policy set` reads it.
absl::StatusOr<v1::PolicySet> ReadPolicy(const Context& context, absl::string_view flag) {
  absl::StatusOr<v1::PolicySet> policy = ReadPolicyOrProfile(context.arguments.Get(flag), context.output.in);
  if (policy.ok() || !IsUsageError(policy.status())) return policy;
  return Arguments::InvalidFlag(flag, policy.status().message());
}

// Reads runs, and says what is none.
class RunReader {
 public:
  RunReader(Recording& recording, const Output& output) : recording_(recording), output_(output) {}

  // The next runs, at most `kRunsAtOnce`, each of its agent's begun when the one before was over; none after the last.
  std::vector<Events> Next() {
    std::vector<Events> events;
    while (events.size() < kRunsAtOnce) {
      absl::StatusOr<std::optional<std::string>> line = recording_.Next();
      if (line.ok() && !line->has_value()) break;
      const absl::StatusOr<RecordedRun> run = line.ok() ? ParseRun(**line) : line.status();
      if (run.ok()) {
        events.push_back(EventsOf(*run));
        continue;
      }
      if (++bad_lines_ > kNotesMax) continue;
      output_.Note(absl::StrCat("error: line ", recording_.line_number(), " is no run: ", run.status().message()));
    }
    runs_ += static_cast<int64_t>(events.size());
    return events;
  }

  int64_t runs() const { return runs_; }
  int64_t bad_lines() const { return bad_lines_; }

 private:
  Events EventsOf(const RecordedRun& run) {
    const auto [stage, is_new] = stages_.try_emplace(run.agent);
    if (is_new) stage->second = {MakeName(absl::StrCat("replay-", run.agent)), MakeName(run.agent), kFirstStart};
    Events events = {MakeRequests(run, stage->second), MakeReport(run, stage->second)};
    *stage->second.start += RunDuration(run);
    return events;
  }

  Recording& recording_;
  const Output& output_;
  // By agent.
  std::map<std::string, Stage> stages_;
  int64_t runs_ = 0;
  int64_t bad_lines_ = 0;
};

void Play(const std::vector<Events>& runs, bool keep_locks, replay::Replay& replay) {
  for (const Events& run : runs) {
    for (const v1::ArbitrateRequest& action : run.actions) replay.Take(action);
    if (!run.report.points().empty()) replay.Take(run.report);
    if (!keep_locks) replay.EndRun(run.report.tenant_id());
  }
}

absl::StatusOr<ExitCode> RunEvaluate(Context& context) {
  const Arguments& arguments = context.arguments;
  const bool keep_locks = arguments.Has("keep_locks");
  replay::ReplayOptions options;
  options.has_runs = !keep_locks;
  INTERLOCK_ASSIGN_OR_RETURN(options.policy, ReadPolicy(context, "policy"));
  Evaluation evaluation;
  evaluation.policy = arguments.Get("policy");
  evaluation.against = arguments.Get("against");
  if (arguments.Has("against")) {
    INTERLOCK_ASSIGN_OR_RETURN(options.against, ReadPolicy(context, "against"));
  }
  INTERLOCK_ASSIGN_OR_RETURN(const std::unique_ptr<replay::Replay> replay, replay::Replay::Make(options));
  INTERLOCK_ASSIGN_OR_RETURN(const std::unique_ptr<Recording> recording, Recording::Open(arguments.Word(0)));
  RunReader reader(*recording, context.output);
  absl::Duration elapsed;
  for (std::vector<Events> runs = reader.Next(); !runs.empty(); runs = reader.Next()) {
    const auto begin = std::chrono::steady_clock::now();
    Play(runs, keep_locks, *replay);
    elapsed += absl::FromChrono(std::chrono::steady_clock::now() - begin);
  }
  evaluation.runs = reader.runs();
  evaluation.result = replay->Result();
  if (arguments.Has("timing")) evaluation.elapsed = elapsed;
  if (context.output.json) {
    context.output.out << EvaluationAsJson(evaluation);
  } else {
    context.output.out << RenderEvaluation(evaluation, context.output.color);
  }
  if (reader.bad_lines() == 0) return kExitOk;
  context.output.Note(absl::StrCat("error: ", reader.bad_lines(), " lines are no runs"));
  return kExitError;
}

}  // namespace

std::vector<Command> EvaluateCommands() {
  return {{
      .name = "evaluate",
      .summary = "shows what a policy would decide on recorded runs of agents; needs no server",
      .details =
          "  FILE is a recording as for replay; every call is decided by the rules in this process, in recorded\n"
          "  time, and nothing is stored. P and Q are built-in profiles (reference, tool_calling) or JSON files as\n"
          "  policy set reads them. With --against what would change from Q to P is shown: verdicts, reasons,\n"
          "  agents and locks. A lock that trips is over with its run, as in replay. The digest is the SHA-256 of\n"
          "  the result: the same recording and policies always give the same. Exits with 1 if a line is no run.",
      .positionals = {{.name = "FILE"}},
      .flags = {{.name = "policy", .value = "P", .help = "the policy that decides", .required = true},
                {.name = "against", .value = "Q", .help = "a policy to compare with; default: none"},
                {.name = "keep_locks", .value = "", .help = "locks stay in force"},
                {.name = "timing", .value = "", .help = "also how many actions a second were decided"}},
      .run = RunEvaluate,
  }};
}

}  // namespace interlock::cli
