#include "client/cli/failure.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/text.h"
#include "client/error.h"

namespace interlock::cli {
namespace {

// What to do about a reason that the server named.
struct ReasonHint {
  absl::string_view reason;
  absl::string_view hint;
};

constexpr ReasonHint kReasonHints[] = {
    {"LOCK_VERSION_MISMATCH",
     "the lock changed since it was read; look at it again with `interlockctl lock get LOCK_ID`, "
     "then release that version"},
    {"LOCK_NOT_ACTIVE", "it is released already; see `interlockctl lock list --all`"},
    {"ETAG_MISMATCH",
     "somebody else changed the policy; read it again with `interlockctl policy get`, make your "
     "change there and set that"},
    {"REQUEST_ID_REUSED",
     "this --request_id belongs to another request of the last 10 minutes; choose a new one or "
     "leave it out"},
    {"TASK_RUNNING", "follow it with `interlockctl tasks attempts TASK_ID`"},
    {"SEQUENCE_EXPIRED",
     "the log was cut there; see what is left with `interlockctl alerts list`, then watch from "
     "now"},
    {"SEQUENCE_AHEAD", "the log is shorter than that; leave out --after to watch from now"},
    {"EPOCH_MISMATCH", "the store was restored or made anew; leave out --after and --epoch to watch from now"},
};

std::string HintFor(const absl::Status& status, absl::string_view address) {
  const std::string reason = client::ErrorReason(status);
  for (const ReasonHint& known : kReasonHints) {
    if (reason == known.reason) return std::string(known.hint);
  }
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      // A reason can only come from a server, which then is there and has stopped deciding.
      if (!reason.empty()) return "the server does not serve now; try again later, and see its log";
      return absl::StrCat("no server answers at ", address,
                          "; start one with `interlockd`, or say where it is with --address or "
                          "INTERLOCK_ADDRESS");
    case absl::StatusCode::kDeadlineExceeded:
      return "the outcome is unknown; look at the state before you repeat it, or allow more time "
             "with --timeout";
    case absl::StatusCode::kResourceExhausted:
      return "the server is busy or a limit is reached; try again later";
    case absl::StatusCode::kPermissionDenied:
      return "say who you are with --as, for example --as human:alice";
    case absl::StatusCode::kUnauthenticated:
      return "give a token with --token or INTERLOCK_TOKEN";
    case absl::StatusCode::kUnimplemented:
      return "the server is older than this program; `interlockctl status` shows its version";
    default:
      return "";
  }
}

}  // namespace

ExitCode ExitCodeOf(const absl::Status& status) {
  if (IsUsageError(status)) return kExitUsage;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    // What the library makes of an answer that cannot be understood.
    case absl::StatusCode::kInternal:
      return kExitNoAnswer;
    default:
      return kExitError;
  }
}

std::string DescribeFailure(const absl::Status& status, absl::string_view address) {
  if (IsUsageError(status)) return absl::StrCat("error: ", status.message(), "\n");
  const std::string reason = client::ErrorReason(status);
  const auto refused = client::FieldViolations(status);
  std::string text =
      absl::StrCat("error: ", absl::StatusCodeToString(status.code()), reason.empty() ? "" : " ", reason, ": ");
  if (refused.field_violations().empty()) {
    absl::StrAppend(&text, Printable(status.message()), "\n");
  } else {
    text += "the request was refused\n";
    for (const auto& violation : refused.field_violations()) {
      absl::StrAppend(&text, "  ", Printable(violation.field()), ": ", Printable(violation.description()), "\n");
    }
  }
  const std::string hint = HintFor(status, address);
  if (!hint.empty()) absl::StrAppend(&text, "hint: ", hint, "\n");
  return text;
}

}  // namespace interlock::cli
