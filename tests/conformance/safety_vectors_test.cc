// The `reference` profile answers every recorded action as the reference system did: verdicts, numbers and texts.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/policy/profiles.h"
#include "core/safety/driver_testing.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "gtest/gtest.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/policy.pb.h"
#include "tests/support/vectors.h"

namespace interlock {
namespace {

using google::protobuf::Struct;
using support::BoolField;
using support::HasField;
using support::ListField;
using support::NumberField;
using support::StringField;
using support::StringsField;
using support::StructField;

v1::PolicySet Reference() {
  v1::PolicySet policy = *policy::FindProfile("reference");
  policy.set_tenant_id("t");
  return policy;
}

v1::Action ActionOf(const Struct& vector) {
  v1::Action action = safety::MakeAction(StringField(vector, "action_type"));
  if (HasField(vector, "risk_score")) action.set_risk_score(NumberField(vector, "risk_score"));
  if (HasField(vector, "impact_score")) action.set_impact_score(NumberField(vector, "impact_score"));
  if (HasField(vector, "recommended_tier")) {
    action.set_recommended_tier(static_cast<int>(NumberField(vector, "recommended_tier")));
  }
  if (HasField(vector, "autonomous_modification")) {
    action.set_autonomous_modification(BoolField(vector, "autonomous_modification"));
  }
  return HasField(vector, "content") ? safety::WithContent(action, StringField(vector, "content")) : action;
}

// The limit of this name; 0 if it is null.
int64_t Limit(const Struct& constraint, const std::string& name) {
  const google::protobuf::Value& value = constraint.fields().at(name);
  return value.kind_case() == google::protobuf::Value::kNumberValue ? static_cast<int64_t>(value.number_value()) : 0;
}

v1::Constraint ConstraintOf(const Struct& vector) {
  v1::Constraint constraint;
  constraint.set_constraint_id(StringField(vector, "constraint_id"));
  for (const std::string& category : StringsField(vector, "action_categories")) constraint.add_categories(category);
  constraint.set_risk_threshold(NumberField(vector, "risk_threshold"));
  constraint.set_approval_required(BoolField(vector, "approval_required"));
  constraint.set_auto_approval_threshold(NumberField(vector, "auto_approval_threshold"));
  constraint.set_daily_limit(Limit(vector, "daily_limit"));
  constraint.set_hourly_limit(Limit(vector, "hourly_limit"));
  const Struct& conditions = StructField(vector, "conditions");
  if (HasField(conditions, "max_content_length")) {
    constraint.mutable_conditions()->set_max_content_length(Limit(conditions, "max_content_length"));
  }
  if (HasField(conditions, "allowed_keywords")) {
    for (const std::string& keyword : StringsField(conditions, "allowed_keywords")) {
      constraint.mutable_conditions()->add_required_keywords(keyword);
    }
  }
  return constraint;
}

std::string VerdictName(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_ALLOW:
      return "allow";
    case v1::VERDICT_DENY:
      return "deny";
    case v1::VERDICT_LOCK:
      return "lock";
    default:
      return "none";
  }
}

std::string RiskLevelName(v1::RiskLevel level) {
  switch (level) {
    case v1::RISK_LEVEL_LOW:
      return "low";
    case v1::RISK_LEVEL_MEDIUM:
      return "medium";
    case v1::RISK_LEVEL_HIGH:
      return "high";
    case v1::RISK_LEVEL_CRITICAL:
      return "critical";
    default:
      return "none";
  }
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
  for (const v1::Reason& reason : safety::ReasonsOf(decision, v1::REASON_CODE_APPROVAL_REQUIRED)) {
    texts.push_back(reason.text());
  }
  return texts;
}

void ExpectAlike(const v1::Decision& decision, const Struct& expect) {
  EXPECT_EQ(VerdictName(decision.verdict()), StringField(expect, "decision"));
  EXPECT_EQ(decision.verdict() == v1::VERDICT_ALLOW, BoolField(expect, "is_valid"));
  EXPECT_EQ(RiskLevelName(decision.risk_level()), StringField(expect, "risk_level"));
  EXPECT_EQ(decision.requires_approval(), BoolField(expect, "requires_approval"));
  EXPECT_NEAR(decision.confidence(), NumberField(expect, "confidence"), 1e-9);
  EXPECT_EQ(decision.category(), StringField(expect, "category"));
  EXPECT_EQ(decision.lock_active(), BoolField(expect, "lock_active"));
  EXPECT_EQ(ViolationTexts(decision), StringsField(expect, "violations"));
  EXPECT_EQ(static_cast<double>(ViolationTexts(decision).size()), NumberField(expect, "n_violations"));
  EXPECT_EQ(ReasonTexts(decision), StringsField(expect, "reasons"));
  EXPECT_EQ(AdviceTexts(decision), StringsField(expect, "advice"));
}

TEST(SafetyVectorsTest, SingleActionsOfAFreshTenant) {
  const auto vectors = support::ReadVectors("arbitration");
  if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
  ASSERT_TRUE(vectors.ok()) << vectors.status();
  for (const support::Vector& vector : *vectors) {
    SCOPED_TRACE(absl::StrCat("line ", vector.line));
    safety::TestDriver driver(Reference());
    ExpectAlike(driver.Decide(ActionOf(StructField(vector.value, "action"))), StructField(vector.value, "expect"));
  }
}

TEST(SafetyVectorsTest, SequencesOfOneTenant) {
  const auto vectors = support::ReadVectors("sequence");
  if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
  ASSERT_TRUE(vectors.ok()) << vectors.status();
  for (const support::Vector& vector : *vectors) {
    safety::TestDriver driver(Reference());
    const absl::Time start = driver.now;
    for (const google::protobuf::Value& step : ListField(vector.value, "steps").values()) {
      const double at_s = NumberField(step.struct_value(), "at_s");
      SCOPED_TRACE(absl::StrCat("line ", vector.line, " at ", at_s, " s"));
      driver.now = start + absl::Seconds(at_s);
      ExpectAlike(driver.Decide(ActionOf(StructField(step.struct_value(), "action"))),
                  StructField(step.struct_value(), "expect"));
    }
  }
}

TEST(SafetyVectorsTest, ActionsUnderASingleConstraint) {
  const auto vectors = support::ReadVectors("condition");
  if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
  ASSERT_TRUE(vectors.ok()) << vectors.status();
  for (const support::Vector& vector : *vectors) {
    SCOPED_TRACE(absl::StrCat("line ", vector.line));
    v1::PolicySet policy = Reference();
    policy.clear_constraints();
    *policy.add_constraints() = ConstraintOf(StructField(vector.value, "constraint"));
    safety::TestDriver driver(policy);
    ExpectAlike(driver.Decide(ActionOf(StructField(vector.value, "action"))), StructField(vector.value, "expect"));
  }
}

}  // namespace
}  // namespace interlock
