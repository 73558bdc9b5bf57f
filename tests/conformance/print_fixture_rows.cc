// Prints the rows of a small store that the engine wrote, as storage/testdata lists them, for a fixture of a new
// format:
//
//   bazel run //tests/conformance:print_fixture_rows > FILE.rows

#include <cstdio>
#include <string>

#include "absl/strings/escaping.h"
#include "core/base/check.h"
#include "storage/testing/fixture.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;
using testing::MakeReport;

void EndAttempt(EngineWorld& world, bool success) {
  AttemptResult result;
  result.tenant_id = "t";
  result.task_id = world.grants.back().task().task_id();
  result.lease_epoch = world.grants.back().attempt().lease_epoch();
  result.success = success;
  result.failure_reason = v1::FAILURE_REASON_NETWORK_ERROR;
  result.error_message = "connection refused";
  INTERLOCK_CHECK(world.Do(result).ok());
}

// Something of everything: so that every table has a row, and the state is one in which much is open.
void Live(EngineWorld& world) {
  v1::UpdatePolicyRequest policy;
  policy.mutable_policy()->set_tenant_id("t");
  policy.mutable_policy()->set_profile("tool_calling");
  INTERLOCK_CHECK(world.Do(policy).ok());
  for (const double score : {0.6, 0.95, 0.2, 0.2, 0.2}) INTERLOCK_CHECK(world.Do(MakeReport("failing", score)).ok());
  v1::RecordDataPointsRequest points;
  points.set_tenant_id("t");
  points.set_agent_id("measured");
  for (const double value : {0.9, 0.8, 0.7, 0.6, 0.5}) {
    v1::DataPoint* point = points.add_points();
    point->set_metric(v1::METRIC_EFFICIENCY_SCORE);
    point->set_value(value);
  }
  INTERLOCK_CHECK(world.Do(points).ok());
  v1::ArbitrateRequest action = MakeAction("healthy", "get_file");
  action.set_request_id("request-1");
  for (int i = 0; i < 5; ++i) {
    action.set_request_id(action.request_id() + "x");
    INTERLOCK_CHECK(world.Do(action).ok());
  }
  v1::EngageLockRequest engage;
  engage.set_tenant_id("t");
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_RESOURCE);
  engage.mutable_scope()->set_id("page");
  engage.set_reason("drill");
  const auto lock = world.Do(engage);
  v1::ReleaseLockRequest release;
  release.set_lock_id(lock->lock_id());
  release.set_version(lock->version());
  release.set_reason("drill is over");
  INTERLOCK_CHECK(world.Do(release).ok());
  v1::CreateTaskRequest task;
  task.mutable_task()->set_tenant_id("t");
  task.mutable_task()->set_type("oauth_token");
  task.mutable_task()->set_target("gsc");
  INTERLOCK_CHECK(world.Do(CreateTaskCommand{task, "sealed", "digest"}).ok());
  world.Tick();
  EndAttempt(world, false);
}

void Print(const EngineWorld& world) {
  std::printf(
      "# The rows of the store beside this list, in the order of their keys: table, key in hexadecimal, message.\n"
      "# Written by //tests/conformance:print_fixture_rows; every version that reads this format must read them.\n");
  for (int number = 1; number < 255; ++number) {
    const auto table = static_cast<Table>(number);
    for (const auto& [key, value] : world.RawRows(table)) {
      const auto message = storage::MessageOf(table);
      INTERLOCK_CHECK(message != nullptr && message->ParseFromString(value));
      std::printf("%d %s %s\n", number, absl::BytesToHexString(key).c_str(), message->ShortDebugString().c_str());
    }
  }
}

}  // namespace
}  // namespace interlock

int main() {
  interlock::testing::EngineWorld world;
  interlock::Live(world);
  interlock::Print(world);
}
