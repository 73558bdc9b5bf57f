// Answers every recorded assessment and trend of the reference system as it did.
#include "tests/support/vectors.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/time.h"
#include "core/monitor/assess.h"
#include "core/monitor/snapshot.h"
#include "core/monitor/trend.h"
#include "core/monitor/window.h"
#include "core/policy/profiles.h"
#include "gtest/gtest.h"

namespace interlock::monitor {
namespace {

using google::protobuf::Struct;
using support::BoolField;
using support::ListField;
using support::NumberField;
using support::StringField;
using support::StructField;

constexpr double kTolerance = 1e-9;
const absl::Time kNow = absl::FromUnixSeconds(1700000000);

std::string ShortName(const std::string& enum_name, absl::string_view prefix) {
  std::string name = enum_name.substr(prefix.size());
  for (char& c : name) c = absl::ascii_tolower(static_cast<unsigned char>(c));
  return name;
}

std::string MetricName(int metric) { return ShortName(v1::Metric_Name(static_cast<v1::Metric>(metric)), "METRIC_"); }

v1::Snapshot SnapshotOf(const Struct& vector) {
  const Struct& given = StructField(vector, "snapshot");
  v1::Snapshot snapshot;
  snapshot.set_total_actions(100);
  snapshot.set_success_rate(NumberField(given, "success_rate"));
  snapshot.set_efficiency_score(NumberField(given, "efficiency_score"));
  snapshot.set_market_impact_score(NumberField(given, "market_impact_score"));
  *snapshot.mutable_average_response_time() =
      ToProto(absl::Nanoseconds(std::llround(NumberField(given, "average_response_time_s") * 1e9)));
  return snapshot;
}

void ExpectAlert(const Struct& expected, const v1::PerformanceAlert& alert) {
  EXPECT_EQ(alert.type(), "performance_alert");
  EXPECT_EQ(MetricName(alert.metric()), StringField(expected, "metric"));
  EXPECT_EQ(ShortName(v1::Severity_Name(alert.severity()), "SEVERITY_"), StringField(expected, "severity"));
  EXPECT_NEAR(alert.current_value(), NumberField(expected, "current_value"), kTolerance);
  EXPECT_NEAR(alert.threshold(), NumberField(expected, "threshold"), kTolerance);
  EXPECT_NEAR(alert.target(), NumberField(expected, "target"), kTolerance);
  EXPECT_EQ(alert.message(), StringField(expected, "message"));
}

void ExpectAssessment(const Struct& expected, const v1::Assessment& assessment) {
  EXPECT_NEAR(assessment.health_score(), NumberField(expected, "health_score"), kTolerance);
  EXPECT_NEAR(assessment.confidence(), NumberField(expected, "confidence"), kTolerance);
  EXPECT_EQ(assessment.systemic(), BoolField(expected, "systemic_alert"));
  const v1::RecommendedAction& action = assessment.recommended_action();
  EXPECT_EQ(action.tier(), NumberField(expected, "tier"));
  EXPECT_EQ(std::max(1, assessment.tier()), NumberField(expected, "tier"));
  EXPECT_EQ(action.confidence(), assessment.confidence());
  EXPECT_EQ(action.max_iterations(), NumberField(expected, "max_iterations"));
  const Struct& criteria = StructField(expected, "lock_criteria");
  EXPECT_NEAR(action.lock_criteria().min_confidence(), NumberField(criteria, "min_confidence"), kTolerance);
  EXPECT_EQ(action.lock_criteria().consecutive_failures(), NumberField(criteria, "consecutive_failures"));
  std::vector<std::string> metrics;
  for (const int metric : action.trigger_metrics()) metrics.push_back(MetricName(metric));
  EXPECT_EQ(metrics, support::StringsField(expected, "trigger_metrics"));
  const auto& alerts = ListField(expected, "alerts");
  ASSERT_EQ(assessment.alerts_size(), alerts.values_size());
  for (int i = 0; i < alerts.values_size(); ++i) ExpectAlert(alerts.values(i).struct_value(), assessment.alerts(i));
}

TEST(VectorsTest, AssessmentsAreThoseOfTheReference) {
  const auto vectors = support::ReadVectors("assessment");
  if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
  ASSERT_TRUE(vectors.ok()) << vectors.status();
  const v1::PolicySet& policy = *policy::FindProfile("reference");
  std::map<int, int> seen_tiers;
  for (const support::Vector& vector : *vectors) {
    SCOPED_TRACE(absl::StrCat("line ", vector.line));
    const v1::Snapshot snapshot = SnapshotOf(vector.value);
    const v1::Assessment assessment =
        Assess(snapshot, CountSamples(snapshot), policy, v1::ASSESSMENT_SOURCE_SNAPSHOT, kNow);
    ExpectAssessment(StructField(vector.value, "expect"), assessment);
    EXPECT_EQ(assessment.data_state(), v1::DATA_STATE_COMPLETE);
    ++seen_tiers[assessment.tier()];
  }
  EXPECT_EQ(seen_tiers.size(), 4u) << "the vectors reach every tier";
}

TEST(VectorsTest, TrendsAreThoseOfTheReference) {
  const auto vectors = support::ReadVectors("trend");
  if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
  ASSERT_TRUE(vectors.ok()) << vectors.status();
  std::map<std::string, int> seen_directions;
  for (const support::Vector& vector : *vectors) {
    SCOPED_TRACE(absl::StrCat("line ", vector.line));
    AgentWindows windows;
    std::vector<RemovedPoint> removed;
    absl::Time now = kNow;
    int64_t point_id = 0;
    for (const auto& value : ListField(vector.value, "points").values()) {
      const auto& pair = value.list_value().values();
      now = kNow + absl::Milliseconds(std::llround(pair[0].number_value() * 1e3));
      ASSERT_TRUE(
          windows.Add(v1::METRIC_EFFICIENCY_SCORE, {++point_id, now, pair[1].number_value(), nullptr}, now, removed));
    }
    const std::vector<v1::Trend> trends = Trends(windows, now);
    ASSERT_EQ(trends.size(), 1u);
    const Struct& expected = StructField(vector.value, "expect");
    const std::string direction = ShortName(v1::TrendDirection_Name(trends[0].direction()), "TREND_DIRECTION_");
    EXPECT_EQ(direction, StringField(expected, "direction"));
    EXPECT_NEAR(trends[0].slope_per_s(), NumberField(expected, "slope_per_s"), kTolerance);
    ++seen_directions[direction];
  }
  EXPECT_EQ(seen_directions.size(), 3u) << "the vectors go every way";
}

}  // namespace
}  // namespace interlock::monitor
