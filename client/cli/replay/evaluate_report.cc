#include "client/cli/replay/evaluate_report.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/format.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/base/sha256.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/wrappers.pb.h"

namespace interlock::cli {
namespace {

using google::protobuf::RepeatedPtrField;

// People look at the first ones; programs get all that the result has.
constexpr int kRowsShown = 20;

std::string DigestOf(const v1::ReplayResult& result) { return Sha256Hex(Serialize(result)); }

double PerSecond(int64_t count, absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  return seconds > 0 ? std::round(static_cast<double>(count) / seconds) : 0;
}

std::string JsonOf(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  INTERLOCK_CHECK(google::protobuf::util::MessageToJsonString(message, &json, options).ok());
  return json;
}

std::string Quoted(const std::string& text) {
  google::protobuf::StringValue value;
  value.set_value(Printable(text));
  return JsonOf(value);
}

// A verdict, or what its absence means.
Cell VerdictCell(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_ALLOW:
      return {"allow", Color::kGreen};
    case v1::VERDICT_DENY:
      return {"deny", Color::kYellow};
    case v1::VERDICT_LOCK:
      return {"lock", Color::kRed};
    default:
      return {"none", Color::kDim};
  }
}

std::string VerdictTable(const Evaluation& evaluation, bool color) {
  const bool compared = !evaluation.against.empty();
  std::vector<Column> columns;
  if (compared) columns.push_back({"from"});
  columns.push_back({compared ? "to" : "verdict"});
  columns.push_back({"actions", Align::kRight});
  columns.push_back({"share", Align::kRight});
  Table table(std::move(columns));
  for (const v1::VerdictCount& count : evaluation.result.verdicts()) {
    std::vector<Cell> cells;
    if (compared) cells.push_back(VerdictCell(count.from()));
    cells.push_back(VerdictCell(count.to()));
    cells.emplace_back(FormatCount(count.count()));
    cells.emplace_back(FormatShare(count.count(), evaluation.result.actions()));
    table.AddRow(std::move(cells));
  }
  return table.Render(color);
}

std::string ReasonTable(const Evaluation& evaluation, bool color) {
  const bool compared = !evaluation.against.empty();
  std::vector<Column> columns = {{"reason"}};
  const std::vector<absl::string_view> titles =
      compared ? std::vector<absl::string_view>{"before", "after", "gained", "lost"}
               : std::vector<absl::string_view>{"actions"};
  for (const absl::string_view title : titles) columns.push_back({std::string(title), Align::kRight});
  Table table(std::move(columns));
  for (const v1::ReasonCount& reason : evaluation.result.reasons()) {
    std::vector<Cell> cells = {FormatEnum(reason.code())};
    if (compared) cells.emplace_back(FormatCount(reason.before()));
    cells.emplace_back(FormatCount(reason.after()));
    if (compared) {
      cells.emplace_back(FormatCount(reason.gained()));
      cells.emplace_back(FormatCount(reason.lost()));
    }
    table.AddRow(std::move(cells));
  }
  return absl::StrCat("\n", table.Render(color));
}

// "allow → deny 12, deny → allow 3", or "deny 12, lock 3".
std::string VerdictsOf(const v1::AgentVerdicts& agent, bool compared) {
  std::vector<std::string> parts;
  for (const v1::VerdictCount& count : agent.verdicts()) {
    const std::string to = VerdictCell(count.to()).text;
    if (compared && count.from() != count.to()) {
      parts.push_back(absl::StrCat(VerdictCell(count.from()).text, " → ", to, " ", FormatCount(count.count())));
    }
    if (!compared && count.to() != v1::VERDICT_ALLOW)
      parts.push_back(absl::StrCat(to, " ", FormatCount(count.count())));
  }
  return absl::StrJoin(parts, ", ");
}

// Says how many rows were left out of `all`.
std::string MoreThan(int shown, int64_t all) {
  return all > shown ? absl::StrCat("and ", FormatCount(all - shown), " more\n") : "";
}

std::string AgentTable(const Evaluation& evaluation, bool color) {
  const bool compared = !evaluation.against.empty();
  Table table({{"agent"},
               {"actions", Align::kRight},
               {compared ? "changed" : "not allowed", Align::kRight},
               {.title = compared ? "changes" : "verdicts"}});
  int shown = 0;
  int64_t all = 0;
  for (const v1::AgentVerdicts& agent : evaluation.result.agents()) {
    if (agent.changed() == 0) continue;
    if (++all > kRowsShown) continue;
    ++shown;
    table.AddRow(
        {agent.agent_id(), FormatCount(agent.actions()), FormatCount(agent.changed()), VerdictsOf(agent, compared)});
  }
  if (shown == 0) return "";
  return absl::StrCat("\n", table.Render(color), MoreThan(shown, all));
}

std::string LockTable(absl::string_view title, const RepeatedPtrField<v1::LockDifference>& locks, int64_t all,
                      bool color) {
  if (all == 0) return "";
  Table table({{std::string(title)}, {"action", Align::kRight}, {"tripped"}, {"why"}});
  const int shown = std::min(locks.size(), kRowsShown);
  for (int i = 0; i < shown; ++i) {
    const v1::LockDifference& lock = locks[i];
    table.AddRow({absl::StrCat(FormatEnum(lock.scope().kind()), " ", lock.scope().id()),
                  FormatCount(lock.action_number()), FormatTime(lock.trip_time()), lock.reason()});
  }
  return absl::StrCat("\n", table.Render(color), MoreThan(shown, all));
}

std::string Codes(const google::protobuf::RepeatedField<int>& codes) {
  return absl::StrJoin(codes, ", ", [](std::string* text, int code) {
    absl::StrAppend(text, FormatEnum(static_cast<v1::ReasonCode>(code)));
  });
}

std::string DifferenceTable(const v1::ReplayResult& result, bool color) {
  if (result.changed() == 0) return "";
  Table table({{"change", Align::kRight}, {"agent"}, {"action"}, {"from"}, {"to"}, {"reasons"}});
  const int shown = std::min(result.differences_size(), kRowsShown);
  for (int i = 0; i < shown; ++i) {
    const v1::VerdictDifference& difference = result.differences(i);
    table.AddRow({FormatCount(difference.action_number()), difference.agent_id(), difference.action_type(),
                  VerdictCell(difference.from()), VerdictCell(difference.to()),
                  absl::StrCat(Codes(difference.from_reasons()), " → ", Codes(difference.to_reasons()))});
  }
  return absl::StrCat("\n", table.Render(color), MoreThan(shown, result.changed()));
}

std::string Summary(const Evaluation& evaluation, bool color) {
  const v1::ReplayResult& result = evaluation.result;
  const bool compared = !evaluation.against.empty();
  std::string trips = FormatCount(result.trips());
  if (compared) {
    absl::StrAppend(&trips, ", before ", FormatCount(result.trips_before()), "; ", FormatCount(result.new_lock_count()),
                    " new, ", FormatCount(result.gone_lock_count()), " gone");
  }
  std::string timing;
  if (evaluation.elapsed.has_value()) {
    timing = absl::StrCat(FormatNumber(absl::ToDoubleSeconds(*evaluation.elapsed), 3), " s, ",
                          FormatCount(static_cast<int64_t>(PerSecond(result.actions(), *evaluation.elapsed))),
                          " actions a second");
  }
  return absl::StrCat("\n", RenderFacts(
                                {
                                    {"runs", evaluation.runs.has_value() ? FormatCount(*evaluation.runs) : ""},
                                    {"actions", FormatCount(result.actions())},
                                    {"reports", FormatCount(result.reports())},
                                    {"outcomes", result.outcomes() == 0 ? "" : FormatCount(result.outcomes())},
                                    {"passed over", result.passed_over() == 0 ? "" : FormatCount(result.passed_over())},
                                    {"changed", compared ? absl::StrCat(FormatCount(result.changed()), ", ",
                                                                        FormatShare(result.changed(), result.actions()))
                                                         : ""},
                                    {"locks tripped", trips},
                                    {"digest", DigestOf(result)},
                                    {"timing", timing},
                                },
                                color));
}

}  // namespace

std::string RenderEvaluation(const Evaluation& evaluation, bool color) {
  const v1::ReplayResult& result = evaluation.result;
  const bool compared = !evaluation.against.empty();
  return absl::StrCat(RenderFacts({{"policy", evaluation.policy}, {"against", evaluation.against}}, color), "\n",
                      VerdictTable(evaluation, color), ReasonTable(evaluation, color), AgentTable(evaluation, color),
                      LockTable(compared ? "new lock" : "lock", result.new_locks(), result.new_lock_count(), color),
                      LockTable("lock that is gone", result.gone_locks(), result.gone_lock_count(), color),
                      compared ? DifferenceTable(result, color) : "", Summary(evaluation, color));
}

std::string EvaluationAsJson(const Evaluation& evaluation) {
  std::string json = absl::StrCat("{\"policy\":", Quoted(evaluation.policy));
  if (!evaluation.against.empty()) absl::StrAppend(&json, ",\"against\":", Quoted(evaluation.against));
  if (evaluation.runs.has_value()) absl::StrAppend(&json, ",\"runs\":", *evaluation.runs);
  absl::StrAppend(&json, ",\"digest\":\"", DigestOf(evaluation.result), "\"");
  if (evaluation.elapsed.has_value()) {
    absl::StrAppend(&json, ",\"seconds\":", absl::ToDoubleSeconds(*evaluation.elapsed), ",\"actions_per_second\":",
                    static_cast<int64_t>(PerSecond(evaluation.result.actions(), *evaluation.elapsed)));
  }
  return absl::StrCat(json, ",\"result\":", JsonOf(evaluation.result), "}\n");
}

}  // namespace interlock::cli
