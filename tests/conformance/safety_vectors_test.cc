// The `reference` profile answers every recorded action as the reference system did: verdicts, numbers and texts.
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/policy/profiles.h"
#include "core/safety/driver_testing.h"
#include "google/protobuf/struct.pb.h"
#include "gtest/gtest.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/policy.pb.h"
#include "tests/support/vector_checks.h"
#include "tests/support/vectors.h"

namespace interlock {
namespace {

using google::protobuf::Struct;
using support::ListField;
using support::NumberField;
using support::StructField;

v1::PolicySet Reference() {
  v1::PolicySet policy = *policy::FindProfile("reference");
  policy.set_tenant_id("t");
  return policy;
}

// The action of a vector or step, of the driver's tenant and agent.
v1::Action ActionOf(const Struct& step) {
  v1::Action action = safety::MakeAction("");
  action.MergeFrom(support::VectorAction(StructField(step, "action")));
  return action;
}

TEST(SafetyVectorsTest, SingleActionsOfAFreshTenant) {
  const auto vectors = support::ReadVectors("arbitration");
  if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
  ASSERT_TRUE(vectors.ok()) << vectors.status();
  for (const support::Vector& vector : *vectors) {
    SCOPED_TRACE(absl::StrCat("line ", vector.line));
    safety::TestDriver driver(Reference());
    support::ExpectDecision(driver.Decide(ActionOf(vector.value)), StructField(vector.value, "expect"));
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
      support::ExpectDecision(driver.Decide(ActionOf(step.struct_value())), StructField(step.struct_value(), "expect"));
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
    *policy.add_constraints() = support::VectorConstraint(StructField(vector.value, "constraint"));
    safety::TestDriver driver(policy);
    support::ExpectDecision(driver.Decide(ActionOf(vector.value)), StructField(vector.value, "expect"));
  }
}

}  // namespace
}  // namespace interlock
