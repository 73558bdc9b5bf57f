#include "client/cli/replay/script.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "interlock/v1/metric.pb.h"

namespace interlock::cli {
namespace {

// Hexadecimal digits of a hash: enough that no two names of a recording get the same.
constexpr size_t kHashDigits = 16;

void AddPoint(v1::Metric metric, double value, const RecordedRun& run, const Stage& stage,
              v1::RecordDataPointsRequest* report) {
  v1::DataPoint* point = report->add_points();
  point->set_metric(metric);
  point->set_value(value);
  if (stage.start.has_value()) *point->mutable_observe_time() = ToProto(*stage.start + RunDuration(run));
}

// The longest start of `text` that has at most `bytes` bytes and does not end within a character.
absl::string_view Cut(absl::string_view text, size_t bytes) {
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace

std::string MakeName(absl::string_view text) {
  std::string name(text);
  for (char& byte : name) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = '_';
  }
  if (name.size() <= kIdBytesMax) return name;
  return absl::StrCat(Cut(name, kIdBytesMax - kHashDigits - 1), "-", Sha256Hex(text).substr(0, kHashDigits));
}

std::vector<v1::ArbitrateRequest> MakeRequests(const RecordedRun& run, const Stage& stage) {
  std::vector<v1::ArbitrateRequest> requests;
  requests.reserve(run.calls.size());
  const absl::Duration step = RunDuration(run) / static_cast<double>(run.calls.size() + 1);
  for (const Call& call : run.calls) {
    v1::Action& action = *requests.emplace_back().mutable_action();
    action.set_tenant_id(stage.tenant);
    action.set_agent_id(stage.agent);
    action.set_action_type(MakeName(call.name));
    *action.mutable_parameters() = ParseArgumentsText(call.arguments);
    if (stage.start.has_value()) {
      *action.mutable_request_time() = ToProto(*stage.start + step * static_cast<double>(requests.size()));
    }
  }
  return requests;
}

v1::RecordDataPointsRequest MakeReport(const RecordedRun& run, const Stage& stage) {
  v1::RecordDataPointsRequest report;
  report.set_tenant_id(stage.tenant);
  report.set_agent_id(stage.agent);
  if (run.solved.has_value()) AddPoint(v1::METRIC_SUCCESS_RATE, *run.solved ? 1 : 0, run, stage, &report);
  if (run.duration.has_value() && run.turns > 0) {
    AddPoint(v1::METRIC_RESPONSE_TIME, absl::ToDoubleSeconds(*run.duration) / static_cast<double>(run.turns), run,
             stage, &report);
  }
  if (!run.calls.empty()) {
    const double wasted = static_cast<double>(run.tool_errors + RepeatedCalls(run));
    const double efficiency = 1 - wasted / static_cast<double>(run.calls.size());
    AddPoint(v1::METRIC_EFFICIENCY_SCORE, std::clamp(efficiency, 0.0, 1.0), run, stage, &report);
  }
  return report;
}

}  // namespace interlock::cli
