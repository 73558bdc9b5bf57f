// Shows decisions. Pure functions.
#pragma once

#include <string>

#include "client/cli/command.h"
#include "client/cli/table.h"
#include "interlock/v1/decision.pb.h"

namespace interlock::cli {

// The verdict with all that speaks for it, over several lines.
std::string DescribeDecision(const v1::Decision& decision, bool color);

// kExitOk, kExitDeny, kExitLock, or kExitNoAnswer for a verdict that is not known.
ExitCode ExitCodeOf(v1::Verdict verdict);

// What tells most of the reasons for a verdict; empty if there are none.
std::string MainReason(v1::Verdict verdict, const google::protobuf::RepeatedPtrField<v1::Reason>& reasons);

// "ALLOW", "DENY", "LOCK" in its colour.
Cell VerdictCell(v1::Verdict verdict);

}  // namespace interlock::cli
