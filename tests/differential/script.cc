#include "tests/differential/script.h"

#include <type_traits>

#include "absl/strings/str_cat.h"

namespace interlock::differential {
namespace {

std::string TextOf(const ReleaseLock& command) {
  return absl::StrCat("lock ", command.pick, ", version ", command.version_offset, ", ",
                      command.request.ShortDebugString());
}

std::string TextOf(const AcknowledgeLock& command) {
  return absl::StrCat("lock ", command.pick, ", version ", command.version_offset, ", ",
                      command.request.ShortDebugString());
}

std::string TextOf(const UpdatePolicy& command) {
  return absl::StrCat("etag ", static_cast<int>(command.etag), command.is_valid ? ", " : ", invalid, ",
                      command.request.ShortDebugString());
}

std::string TextOf(const TriggerTask& command) {
  return absl::StrCat("task ", command.pick, ", ", command.request.ShortDebugString());
}

std::string TextOf(const EndAttempt& command) {
  return absl::StrCat("lease ", command.back, " back, ",
                      command.success ? std::string("success") : "\"" + command.error_message + "\"");
}

std::string TextOf(const DecideApproval& command) {
  return absl::StrCat("approval ", command.back, " back, version ", command.version_offset, ", ",
                      command.request.ShortDebugString());
}

template <typename ActionRequest>
std::string TextOf(const AgainWith<ActionRequest>& command) {
  return absl::StrCat("approval ", command.back, " back", command.is_over ? ", over" : "",
                      command.names_it ? "" : ", not named",
                      command.from_end.has_value() ? ", from its end " + absl::FormatDuration(*command.from_end) : "",
                      ", ", command.request.ShortDebugString(), ", otherwise ", command.otherwise.ShortDebugString());
}

template <typename ActionRequest>
std::string TextOf(const ActionWith<ActionRequest>& command) {
  return absl::StrCat("checkpoint ", command.back, " back",
                      command.from_end.has_value() ? ", from its end " + absl::FormatDuration(*command.from_end) : "",
                      ", ", command.request.ShortDebugString());
}

std::string TextOf(const GoBack& command) {
  return absl::StrCat("checkpoint ", command.back, " back, ", command.request.ShortDebugString());
}

std::string TextOf(const TellOfRollback& command) {
  return absl::StrCat("rollback ", command.back, command.is_over ? " back of all, version " : " back, version ",
                      command.version_offset, command.is_wrong ? ", wrong, " : ", ",
                      command.request.ShortDebugString());
}

std::string TextOf(const RollbackPolicy& command) {
  return absl::StrCat("version ", command.back, command.is_ahead ? " back of the next one, " : " back, ",
                      command.etag == Etag::kNone      ? ""
                      : command.etag == Etag::kCurrent ? "current etag, "
                                                       : "old etag, ",
                      command.request.ShortDebugString());
}

std::string TextOf(const Restart&) { return ""; }

std::string TextOf(const google::protobuf::Message& request) { return request.ShortDebugString(); }

template <size_t... Index>
std::vector<std::string> Names(std::index_sequence<Index...>) {
  return {NameOf(Request(std::in_place_index<Index>))...};
}

}  // namespace

std::string NameOf(const Request& request) {
  static const char* const kNames[] = {
      "Arbitrate",      "ExplainAction",  "EngageLock",       "ReleaseLock",         "AcknowledgeLock",
      "UpdatePolicy",   "ReportSnapshot", "RecordDataPoints", "CreateTask",          "TriggerTask",
      "EndAttempt",     "GetAgent",       "GetFleetStats",    "GetServerInfo",       "Restart",
      "DecideApproval", "ProposeAgain",   "ExplainAgain",     "CreateCheckpoint",    "ActWith",
      "ExplainWith",    "GoBack",         "TellOfRollback",   "ReportActionOutcome", "RollbackPolicy"};
  static_assert(std::size(kNames) == std::variant_size_v<Request>);
  return kNames[request.index()];
}

std::vector<std::string> RequestNames() { return Names(std::make_index_sequence<std::variant_size_v<Request>>()); }

std::string Describe(const Command& command) {
  const std::string text = std::visit([](const auto& request) { return TextOf(request); }, command.request);
  return absl::StrCat(absl::FormatTime("%Y-%m-%d %H:%M:%E*S", command.time, absl::UTCTimeZone()), " ",
                      v1::PrincipalKind_Name(command.caller.kind()), ":", command.caller.id(), " ",
                      NameOf(command.request), " ", text);
}

}  // namespace interlock::differential
