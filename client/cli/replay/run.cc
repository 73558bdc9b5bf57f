#include "client/cli/replay/run.h"

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/input.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr absl::Duration kUnrecordedDuration = absl::Minutes(1);
// A recording longer than this is a mistake in the file.
constexpr double kDurationSecondsMax = 366.0 * 24 * 3600;

// The member of this kind; null if it is absent or null.
absl::StatusOr<const Value*> Find(const Struct& object, const char* name, Value::KindCase kind) {
  const auto member = object.fields().find(name);
  if (member == object.fields().end() || member->second.kind_case() == Value::kNullValue) return nullptr;
  if (member->second.kind_case() != kind) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is of the wrong kind"));
  }
  return &member->second;
}

absl::StatusOr<std::string> FindText(const Struct& object, const char* name) {
  INTERLOCK_ASSIGN_OR_RETURN(const Value* value, Find(object, name, Value::kStringValue));
  return value == nullptr ? std::string() : value->string_value();
}

absl::StatusOr<double> FindNumber(const Struct& object, const char* name, double otherwise) {
  INTERLOCK_ASSIGN_OR_RETURN(const Value* value, Find(object, name, Value::kNumberValue));
  const double number = value == nullptr ? otherwise : value->number_value();
  // Written so that not-a-number fails. Nothing that is recorded is negative.
  if (value != nullptr && !(number >= 0 && number <= kDurationSecondsMax)) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is out of range"));
  }
  return number;
}

absl::StatusOr<Call> ParseCall(const Value& value) {
  if (value.kind_case() != Value::kStructValue) return absl::InvalidArgumentError("an action is no object");
  Call call;
  INTERLOCK_ASSIGN_OR_RETURN(call.name, FindText(value.struct_value(), "name"));
  if (call.name.empty()) return absl::InvalidArgumentError("an action has no name");
  INTERLOCK_ASSIGN_OR_RETURN(call.arguments, FindText(value.struct_value(), "args"));
  return call;
}

}  // namespace

absl::StatusOr<RecordedRun> ParseRun(absl::string_view line) {
  Struct object;
  INTERLOCK_RETURN_IF_ERROR(ParseJson(line, &object));
  RecordedRun run;
  INTERLOCK_ASSIGN_OR_RETURN(run.agent, FindText(object, "agent"));
  if (run.agent.empty()) return absl::InvalidArgumentError("agent is missing");
  INTERLOCK_ASSIGN_OR_RETURN(run.mode, FindText(object, "mode"));
  INTERLOCK_ASSIGN_OR_RETURN(const Value* utility, Find(object, "utility", Value::kBoolValue));
  if (utility != nullptr) run.solved = utility->bool_value();
  INTERLOCK_ASSIGN_OR_RETURN(const double seconds, FindNumber(object, "duration_s", -1));
  if (seconds >= 0) run.duration = absl::Seconds(seconds);
  INTERLOCK_ASSIGN_OR_RETURN(const double turns, FindNumber(object, "n_turns", 0));
  run.turns = std::llround(turns);
  INTERLOCK_ASSIGN_OR_RETURN(const double errors, FindNumber(object, "tool_errors", 0));
  run.tool_errors = std::llround(errors);
  INTERLOCK_ASSIGN_OR_RETURN(const Value* actions, Find(object, "actions", Value::kListValue));
  if (actions == nullptr) return absl::InvalidArgumentError("actions is missing");
  for (const Value& action : actions->list_value().values()) {
    INTERLOCK_ASSIGN_OR_RETURN(Call call, ParseCall(action));
    run.calls.push_back(std::move(call));
  }
  return run;
}

absl::Duration RunDuration(const RecordedRun& run) { return run.duration.value_or(kUnrecordedDuration); }

std::optional<size_t> FourthIdenticalCall(const RecordedRun& run) {
  size_t in_a_row = 0;
  for (size_t i = 0; i < run.calls.size(); ++i) {
    in_a_row = i > 0 && run.calls[i] == run.calls[i - 1] ? in_a_row + 1 : 1;
    if (in_a_row == 4) return i;
  }
  return std::nullopt;
}

int64_t RepeatedCalls(const RecordedRun& run) {
  int64_t repeated = 0;
  for (size_t i = 1; i < run.calls.size(); ++i) repeated += run.calls[i] == run.calls[i - 1] ? 1 : 0;
  return repeated;
}

Struct ParseArgumentsText(const std::string& text) {
  Struct parameters;
  if (!text.empty() && ParseJson(text, &parameters).ok()) return parameters;
  parameters.Clear();
  (*parameters.mutable_fields())["arguments"].set_string_value(text);
  return parameters;
}

}  // namespace interlock::cli
