#include "tests/support/vector_checks.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "tests/support/vectors.h"

namespace interlock::support {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr double kTolerance = 1e-9;
constexpr double kNanosPerSecond = 1e9;

// The name of an enum's value as the vectors write it: without its prefix, in lower case.
std::string ShortName(absl::string_view name, absl::string_view prefix) {
  EXPECT_TRUE(absl::ConsumePrefix(&name, prefix)) << name;
  return absl::AsciiStrToLower(name);
}

std::string MetricName(v1::Metric metric) { return ShortName(v1::Metric_Name(metric), "METRIC_"); }

// The limit of this name; 0 if it is null.
int64_t Limit(const Struct& object, const std::string& name) {
  const Value& value = object.fields().at(name);
  return value.kind_case() == Value::kNumberValue ? static_cast<int64_t>(value.number_value()) : 0;
}

std::vector<std::string> ViolationTexts(const v1::Decision& decision) {
  std::vector<std::string> texts;
  for (const v1::Reason& reason : decision.reasons()) {
    if (reason.violation()) texts.push_back(reason.text());
  }
  return texts;
}

// The reference repeats the violations after its explanation, except while a lock is in force.
std::vector<std::string> ReasonTexts(const v1::Decision& decision) {
  std::vector<std::string> texts = {decision.reasons(0).text()};
  const v1::ReasonCode code = decision.reasons(0).code();
  if (code == v1::REASON_CODE_LOCK_BLOCKED || code == v1::REASON_CODE_LOCK_ACTIVE) return texts;
  for (const std::string& text : ViolationTexts(decision)) texts.push_back(text);
  return texts;
}

std::vector<std::string> AdviceTexts(const v1::Decision& decision) {
  std::vector<std::string> texts;
  for (const v1::Reason& reason : decision.reasons()) {
    if (reason.code() == v1::REASON_CODE_APPROVAL_REQUIRED) texts.push_back(reason.text());
  }
  return texts;
}

void ExpectAlert(const v1::PerformanceAlert& alert, const Struct& expect) {
  EXPECT_EQ(alert.type(), "performance_alert");
  EXPECT_EQ(MetricName(alert.metric()), StringField(expect, "metric"));
  EXPECT_EQ(ShortName(v1::Severity_Name(alert.severity()), "SEVERITY_"), StringField(expect, "severity"));
  EXPECT_NEAR(alert.current_value(), NumberField(expect, "current_value"), kTolerance);
  EXPECT_NEAR(alert.threshold(), NumberField(expect, "threshold"), kTolerance);
  EXPECT_NEAR(alert.target(), NumberField(expect, "target"), kTolerance);
  EXPECT_EQ(alert.message(), StringField(expect, "message"));
}

}  // namespace

v1::Action VectorAction(const Struct& action) {
  v1::Action made;
  made.set_action_type(StringField(action, "action_type"));
  if (HasField(action, "risk_score")) made.set_risk_score(NumberField(action, "risk_score"));
  if (HasField(action, "impact_score")) made.set_impact_score(NumberField(action, "impact_score"));
  if (HasField(action, "recommended_tier")) {
    made.set_recommended_tier(static_cast<int>(NumberField(action, "recommended_tier")));
  }
  if (HasField(action, "autonomous_modification")) {
    made.set_autonomous_modification(BoolField(action, "autonomous_modification"));
  }
  if (HasField(action, "content")) {
    (*made.mutable_parameters()->mutable_fields())["content"].set_string_value(StringField(action, "content"));
  }
  return made;
}

v1::Constraint VectorConstraint(const Struct& constraint) {
  v1::Constraint made;
  made.set_constraint_id(StringField(constraint, "constraint_id"));
  for (const std::string& category : StringsField(constraint, "action_categories")) made.add_categories(category);
  made.set_risk_threshold(NumberField(constraint, "risk_threshold"));
  made.set_approval_required(BoolField(constraint, "approval_required"));
  made.set_auto_approval_threshold(NumberField(constraint, "auto_approval_threshold"));
  made.set_daily_limit(Limit(constraint, "daily_limit"));
  made.set_hourly_limit(Limit(constraint, "hourly_limit"));
  const Struct& conditions = StructField(constraint, "conditions");
  if (HasField(conditions, "max_content_length")) {
    made.mutable_conditions()->set_max_content_length(Limit(conditions, "max_content_length"));
  }
  if (HasField(conditions, "allowed_keywords")) {
    for (const std::string& keyword : StringsField(conditions, "allowed_keywords")) {
      made.mutable_conditions()->add_required_keywords(keyword);
    }
  }
  return made;
}

v1::Snapshot VectorSnapshot(const Struct& snapshot) {
  v1::Snapshot made;
  made.set_total_actions(100);
  made.set_success_rate(NumberField(snapshot, "success_rate"));
  made.set_efficiency_score(NumberField(snapshot, "efficiency_score"));
  made.set_market_impact_score(NumberField(snapshot, "market_impact_score"));
  const int64_t nanos = std::llround(NumberField(snapshot, "average_response_time_s") * kNanosPerSecond);
  constexpr auto kNanos = static_cast<int64_t>(kNanosPerSecond);
  made.mutable_average_response_time()->set_seconds(nanos / kNanos);
  made.mutable_average_response_time()->set_nanos(static_cast<int32_t>(nanos % kNanos));
  return made;
}

std::vector<VectorPoint> VectorPoints(const google::protobuf::ListValue& points) {
  std::vector<VectorPoint> made;
  for (const Value& point : points.values()) {
    const auto& pair = point.list_value().values();
    made.push_back({absl::Milliseconds(std::llround(pair[0].number_value() * 1e3)), pair[1].number_value()});
  }
  return made;
}

void ExpectDecision(const v1::Decision& decision, const Struct& expect) {
  ASSERT_GT(decision.reasons_size(), 0);
  EXPECT_EQ(ShortName(v1::Verdict_Name(decision.verdict()), "VERDICT_"), StringField(expect, "decision"));
  EXPECT_EQ(decision.verdict() == v1::VERDICT_ALLOW, BoolField(expect, "is_valid"));
  EXPECT_EQ(ShortName(v1::RiskLevel_Name(decision.risk_level()), "RISK_LEVEL_"), StringField(expect, "risk_level"));
  EXPECT_EQ(decision.requires_approval(), BoolField(expect, "requires_approval"));
  EXPECT_NEAR(decision.confidence(), NumberField(expect, "confidence"), kTolerance);
  EXPECT_EQ(decision.category(), StringField(expect, "category"));
  EXPECT_EQ(decision.lock_active(), BoolField(expect, "lock_active"));
  EXPECT_EQ(ViolationTexts(decision), StringsField(expect, "violations"));
  EXPECT_EQ(static_cast<double>(ViolationTexts(decision).size()), NumberField(expect, "n_violations"));
  EXPECT_EQ(ReasonTexts(decision), StringsField(expect, "reasons"));
  EXPECT_EQ(AdviceTexts(decision), StringsField(expect, "advice"));
}

void ExpectAssessment(const v1::Assessment& assessment, const Struct& expect) {
  EXPECT_EQ(assessment.data_state(), v1::DATA_STATE_COMPLETE);
  EXPECT_NEAR(assessment.health_score(), NumberField(expect, "health_score"), kTolerance);
  EXPECT_NEAR(assessment.confidence(), NumberField(expect, "confidence"), kTolerance);
  EXPECT_EQ(assessment.systemic(), BoolField(expect, "systemic_alert"));
  EXPECT_EQ(std::max(1, assessment.tier()), NumberField(expect, "tier"));
  const v1::RecommendedAction& action = assessment.recommended_action();
  EXPECT_EQ(action.tier(), NumberField(expect, "tier"));
  EXPECT_EQ(action.confidence(), assessment.confidence());
  EXPECT_EQ(action.max_iterations(), NumberField(expect, "max_iterations"));
  const Struct& criteria = StructField(expect, "lock_criteria");
  EXPECT_NEAR(action.lock_criteria().min_confidence(), NumberField(criteria, "min_confidence"), kTolerance);
  EXPECT_EQ(action.lock_criteria().consecutive_failures(), NumberField(criteria, "consecutive_failures"));
  std::vector<std::string> metrics;
  for (const int metric : action.trigger_metrics()) metrics.push_back(MetricName(static_cast<v1::Metric>(metric)));
  EXPECT_EQ(metrics, StringsField(expect, "trigger_metrics"));
  const auto& alerts = ListField(expect, "alerts");
  ASSERT_EQ(assessment.alerts_size(), alerts.values_size());
  for (int i = 0; i < alerts.values_size(); ++i) ExpectAlert(assessment.alerts(i), alerts.values(i).struct_value());
}

void ExpectTrend(const v1::Trend& trend, const Struct& expect) {
  EXPECT_EQ(ShortName(v1::TrendDirection_Name(trend.direction()), "TREND_DIRECTION_"),
            StringField(expect, "direction"));
  EXPECT_NEAR(trend.slope_per_s(), NumberField(expect, "slope_per_s"), kTolerance);
}

}  // namespace interlock::support
