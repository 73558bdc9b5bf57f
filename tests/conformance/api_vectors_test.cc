// The `reference` profile answers every recorded input of the reference system as it did, asked over the API of the
// real program, whose time is that of the requests.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/time.h"
#include "gtest/gtest.h"
#include "tests/support/api.h"
#include "tests/support/server_process.h"
#include "tests/support/vector_checks.h"
#include "tests/support/vectors.h"

namespace interlock {
namespace {

using support::Api;
using support::ListField;
using support::Monitor;
using support::NumberField;
using support::Policies;
using support::Safety;
using support::StructField;

const absl::Time kStart = absl::FromUnixSeconds(1700000000);

class ApiVectorsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server = new support::ServerProcess({"api_vectors", {"--time_source=request", "--default_profile=reference"}});
  }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
  }

  // Shows every vector of a kind to `check`, with a tenant of its own.
  void ForEach(absl::string_view kind,
               const std::function<void(const std::string& tenant_id, const google::protobuf::Struct& vector)>& check) {
    const auto vectors = support::ReadVectors(kind);
    if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
    ASSERT_TRUE(vectors.ok()) << vectors.status();
    for (const support::Vector& vector : *vectors) {
      SCOPED_TRACE(absl::StrCat("line ", vector.line));
      check(absl::StrCat("line-", vector.line), vector.value);
    }
  }

  // Decides the `action` of a vector or step, `offset` after the start, and compares.
  void Decide(const std::string& tenant_id, absl::Duration offset, const google::protobuf::Struct& step) {
    v1::ArbitrateRequest request;
    v1::Action& action = *request.mutable_action();
    action = support::VectorAction(StructField(step, "action"));
    action.set_tenant_id(tenant_id);
    action.set_agent_id("agent");
    *action.mutable_request_time() = ToProto(kStart + offset);
    const auto decision = api_.Call(&Safety::Arbitrate, request);
    ASSERT_TRUE(decision.ok()) << decision.status.error_message();
    support::ExpectDecision(*decision, StructField(step, "expect"));
    EXPECT_EQ(FromProto(decision->decide_time()), kStart + offset);
  }

  static support::ServerProcess* server;
  const Api api_{server->NewChannel()};
};

support::ServerProcess* ApiVectorsTest::server = nullptr;

TEST_F(ApiVectorsTest, Assessments) {
  std::map<int, int> seen_tiers;
  ForEach("assessment", [&](const std::string& tenant_id, const google::protobuf::Struct& vector) {
    v1::ReportSnapshotRequest request;
    v1::Snapshot& snapshot = *request.mutable_snapshot();
    snapshot = support::VectorSnapshot(StructField(vector, "snapshot"));
    snapshot.set_tenant_id(tenant_id);
    snapshot.set_agent_id("agent");
    *snapshot.mutable_observe_time() = ToProto(kStart);
    const auto response = api_.Call(&Monitor::ReportSnapshot, request);
    ASSERT_TRUE(response.ok()) << response.status.error_message();
    support::ExpectAssessment(response->assessment(), StructField(vector, "expect"));
    ++seen_tiers[response->assessment().tier()];
  });
  if (!IsSkipped()) {
    EXPECT_EQ(seen_tiers.size(), 4u) << "the vectors reach every tier";
  }
}

TEST_F(ApiVectorsTest, SingleActionsOfAFreshTenant) {
  ForEach("arbitration", [&](const std::string& tenant_id, const google::protobuf::Struct& vector) {
    Decide(tenant_id, absl::ZeroDuration(), vector);
  });
}

TEST_F(ApiVectorsTest, SequencesOfOneTenant) {
  ForEach("sequence", [&](const std::string& tenant_id, const google::protobuf::Struct& vector) {
    for (const google::protobuf::Value& step : ListField(vector, "steps").values()) {
      const double at_s = NumberField(step.struct_value(), "at_s");
      SCOPED_TRACE(absl::StrCat("at ", at_s, " s"));
      Decide(tenant_id, absl::Seconds(at_s), step.struct_value());
    }
  });
}

TEST_F(ApiVectorsTest, ActionsUnderASingleConstraint) {
  ForEach("condition", [&](const std::string& tenant_id, const google::protobuf::Struct& vector) {
    v1::GetPolicyRequest get;
    get.set_tenant_id(tenant_id);
    const auto policy = api_.Call(&Policies::GetPolicy, get);
    ASSERT_TRUE(policy.ok()) << policy.status.error_message();
    EXPECT_EQ(policy->profile(), "reference");
    v1::UpdatePolicyRequest update;
    *update.mutable_policy() = *policy;
    update.mutable_policy()->clear_constraints();
    *update.mutable_policy()->add_constraints() = support::VectorConstraint(StructField(vector, "constraint"));
    const auto updated = api_.Call(&Policies::UpdatePolicy, update);
    ASSERT_TRUE(updated.ok()) << updated.status.error_message();
    Decide(tenant_id, absl::ZeroDuration(), vector);
  });
}

TEST_F(ApiVectorsTest, Trends) {
  std::map<int, int> seen_directions;
  ForEach("trend", [&](const std::string& tenant_id, const google::protobuf::Struct& vector) {
    v1::RecordDataPointsRequest record;
    record.set_tenant_id(tenant_id);
    record.set_agent_id("agent");
    for (const support::VectorPoint& given : support::VectorPoints(ListField(vector, "points"))) {
      v1::DataPoint& point = *record.add_points();
      point.set_metric(v1::METRIC_EFFICIENCY_SCORE);
      point.set_value(given.value);
      *point.mutable_observe_time() = ToProto(kStart + given.offset);
    }
    const auto recorded = api_.Call(&Monitor::RecordDataPoints, record);
    ASSERT_TRUE(recorded.ok()) << recorded.status.error_message();
    EXPECT_EQ(recorded->recorded_count(), record.points_size());

    v1::GetAgentRequest get;
    get.set_tenant_id(tenant_id);
    get.set_agent_id("agent");
    const auto agent = api_.Call(&Monitor::GetAgent, get);
    ASSERT_TRUE(agent.ok()) << agent.status.error_message();
    ASSERT_EQ(agent->trends_size(), 1);
    EXPECT_EQ(agent->trends(0).metric(), v1::METRIC_EFFICIENCY_SCORE);
    support::ExpectTrend(agent->trends(0), StructField(vector, "expect"));
    ++seen_directions[agent->trends(0).direction()];
  });
  if (!IsSkipped()) {
    EXPECT_EQ(seen_directions.size(), 3u) << "the vectors go every way";
  }
}

}  // namespace
}  // namespace interlock
