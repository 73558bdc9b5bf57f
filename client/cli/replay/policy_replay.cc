#include "client/cli/replay/policy_replay.h"

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "client/cli/policy_input.h"
#include "client/cli/replay/evaluate_report.h"
#include "client/cli/replay/progress.h"
#include "client/policy_replay.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"

namespace interlock::cli {
namespace {

// The time so long ago as the flag says. False: the flag was not given.
absl::StatusOr<bool> ReadAgo(const Context& context, absl::string_view flag, google::protobuf::Timestamp* time) {
  if (!context.arguments.Has(flag)) return false;
  INTERLOCK_ASSIGN_OR_RETURN(const absl::Duration ago, context.arguments.GetTimeSpan(flag, absl::ZeroDuration()));
  *time = ToProto(absl::Now() - ago);
  return true;
}

absl::StatusOr<v1::ReplayPolicyRequest> ReadRequest(const Context& context) {
  v1::ReplayPolicyRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  INTERLOCK_ASSIGN_OR_RETURN(*request.mutable_policy(),
                             ReadPolicyOrProfile(context.arguments.Word(0), context.output.in));
  // A policy that was read from another tenant can be a candidate, too.
  request.mutable_policy()->set_tenant_id(request.tenant_id());
  google::protobuf::Timestamp time;
  INTERLOCK_ASSIGN_OR_RETURN(const bool has_start, ReadAgo(context, "since", &time));
  if (has_start) *request.mutable_start_time() = time;
  INTERLOCK_ASSIGN_OR_RETURN(const bool has_end, ReadAgo(context, "until", &time));
  if (has_end) *request.mutable_end_time() = time;
  return request;
}

absl::StatusOr<ExitCode> RunReplay(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ReplayPolicyRequest request, ReadRequest(context));
  Evaluation evaluation;
  evaluation.policy = context.arguments.Word(0);
  evaluation.against = "what was decided";
  {
    ProgressBar bar(context.output.err, context.output.progress, absl::Now());
    INTERLOCK_ASSIGN_OR_RETURN(
        evaluation.result, client::ReplayPolicy(context.client, request, [&bar](const v1::ReplayProgress& progress) {
          bar.Show(progress.fraction(), "", progress.events(), "events", absl::Now());
        }));
  }
  if (context.output.json) {
    context.output.out << EvaluationAsJson(evaluation);
  } else {
    context.output.out << RenderEvaluation(evaluation, context.output.color);
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> PolicyReplayCommands() {
  return {{
      .name = "policy replay",
      .summary = "shows what a candidate (a JSON file, or a built-in profile) would have decided on what the server "
                 "recorded",
      .details = "  The server replays what it recorded of the tenant as if the candidate had decided all the time,\n"
                 "  and compares with what it did decide; what came before --since is replayed and not counted. The\n"
                 "  server goes on deciding meanwhile. Time spans are such as 24h or 7d.",
      .positionals = {{.name = "CANDIDATE"}},
      .flags = {kTenantFlag,
                {.name = "since", .value = "SPAN", .help = "count from so long ago on; default: all that is recorded"},
                {.name = "until", .value = "SPAN", .help = "up to so long ago; default: now"}},
      .run = RunReplay,
  }};
}

}  // namespace interlock::cli
