#include "client/cli/demo/demo.h"

#include "absl/strings/str_cat.h"
#include "client/cli/demo/story.h"
#include "client/environment.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

absl::StatusOr<ExitCode> RunDemo(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ServerInfo info, context.client.GetServerInfo({}));
  if (info.time_source() == v1::TIME_SOURCE_REQUEST) {
    return absl::FailedPreconditionError(
        "this server goes by the times in requests, where nothing happens by itself; run the demo against one with "
        "--time_source=wall");
  }
  // A tenant of its own, so that one demo does not see what another left.
  const std::string tenant =
      absl::StrCat("demo-", client::NewRequestId(context.client_options.environment).substr(0, 8));
  Story story(context.client, context.output, tenant);
  const absl::Status status = story.Tell();
  if (absl::IsAborted(status)) {
    context.output.Note(absl::StrCat("surprise: ", status.message()));
    return kExitError;
  }
  if (!status.ok()) return status;
  return kExitOk;
}

}  // namespace

std::vector<Command> DemoCommands() {
  return {{
      .name = "demo",
      .summary = "shows on a running server what Interlock does, in a new tenant",
      .details = "  Exits with 1, and says what was expected, if anything goes otherwise than told.",
      .positionals = {},
      .flags = {},
      .run = RunDemo,
  }};
}

}  // namespace interlock::cli
