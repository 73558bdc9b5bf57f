#include <limits>
#include <string>

#include "core/base/limits.h"
#include "gtest/gtest.h"
#include "server/validate/requests_testing.h"

namespace interlock::server {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

using Report = v1::ReportSnapshotRequest;
using Record = v1::RecordDataPointsRequest;

Report ValidReport() {
  return Parse<Report>(R"pb(
    snapshot {
      tenant_id: "t"
      agent_id: "a"
      observe_time { seconds: 1 }
      status: AGENT_STATUS_ACTIVE
      total_actions: 10
      successful_actions: 8
      failed_actions: 2
      success_rate: 0.8
      efficiency_score: 0
      market_impact_score: 1
      user_satisfaction_score: 0.5
      average_response_time { seconds: 2 nanos: 5 }
      resource_usage {
        cpu_usage: 150
        memory_usage: 0
        api_calls: 3
        processing_time { nanos: 1 }
      }
      last_action_time { seconds: 2 }
    }
    request_id: "r"
  )pb");
}

// A change of the snapshot in a report.
std::function<void(Report&)> InSnapshot(std::function<void(v1::Snapshot&)> change) {
  return [change](Report& request) { change(*request.mutable_snapshot()); };
}

TEST(ReportSnapshotTest, EnvelopeAndNames) {
  ExpectVariations<Report>(
      ValidReport(),
      {
          {"empty", [](Report& r) { r.Clear(); }, {"snapshot"}},
          {"only names", [](Report& r) { r = Parse<Report>("snapshot { tenant_id: 't' agent_id: 'a' }"); }, {}},
          {"no names", [](Report& r) { r.mutable_snapshot()->Clear(); }, {"snapshot.tenant_id", "snapshot.agent_id"}},
          {"tenant too long",
           InSnapshot([](v1::Snapshot& s) { s.set_tenant_id(std::string(129, 'a')); }),
           {"snapshot.tenant_id"}},
          {"agent with a control character",
           InSnapshot([](v1::Snapshot& s) { s.set_agent_id("a\n"); }),
           {"snapshot.agent_id"}},
          {"no request id", [](Report& r) { r.clear_request_id(); }, {}},
          {"request id of 64 bytes", [](Report& r) { r.set_request_id(std::string(64, 'r')); }, {}},
          {"request id too long", [](Report& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
          {"two things wrong",
           [](Report& r) {
             r.mutable_snapshot()->clear_agent_id();
             r.mutable_snapshot()->set_success_rate(kNotANumber);
             r.set_request_id("\x01");
           },
           {"snapshot.agent_id", "snapshot.success_rate", "request_id"}},
      });
}

TEST(ReportSnapshotTest, TimesStatusAndDurations) {
  ExpectVariations<Report>(
      ValidReport(),
      {
          {"observe time",
           InSnapshot([](v1::Snapshot& s) { s.mutable_observe_time()->set_nanos(-1); }),
           {"snapshot.observe_time"}},
          {"last action time",
           InSnapshot([](v1::Snapshot& s) { s.mutable_last_action_time()->set_seconds(kLargest); }),
           {"snapshot.last_action_time"}},
          {"status unset", InSnapshot([](v1::Snapshot& s) { s.clear_status(); }), {}},
          {"status unknown",
           InSnapshot([](v1::Snapshot& s) { s.set_status(static_cast<v1::AgentStatus>(6)); }),
           {"snapshot.status"}},
          {"status negative",
           InSnapshot([](v1::Snapshot& s) { s.set_status(static_cast<v1::AgentStatus>(-1)); }),
           {"snapshot.status"}},
          {"response time 0", InSnapshot([](v1::Snapshot& s) { s.mutable_average_response_time()->Clear(); }), {}},
          {"response time negative",
           InSnapshot([](v1::Snapshot& s) {
             s.mutable_average_response_time()->set_seconds(0);
             s.mutable_average_response_time()->set_nanos(-1);
           }),
           {"snapshot.average_response_time"}},
          {"response time of two signs",
           InSnapshot([](v1::Snapshot& s) { s.mutable_average_response_time()->set_nanos(-1); }),
           {"snapshot.average_response_time"}},
          {"response time of 10,000 days",
           InSnapshot([](v1::Snapshot& s) {
             s.mutable_average_response_time()->set_seconds(864000000);
             s.mutable_average_response_time()->set_nanos(0);
           }),
           {}},
          {"response time above 10,000 days",
           InSnapshot([](v1::Snapshot& s) {
             s.mutable_average_response_time()->set_seconds(864000000);
             s.mutable_average_response_time()->set_nanos(1);
           }),
           {"snapshot.average_response_time"}},
      });
}

TEST(ReportSnapshotTest, CountsAreConsistent) {
  const auto counts = [](int64_t total, int64_t successful, int64_t failed) {
    return InSnapshot([=](v1::Snapshot& s) {
      s.set_total_actions(total);
      s.set_successful_actions(successful);
      s.set_failed_actions(failed);
    });
  };
  ExpectVariations<Report>(
      ValidReport(), {
                         {"nothing done", counts(0, 0, 0), {}},
                         {"some still open", counts(10, 3, 3), {}},
                         {"all successful", counts(10, 10, 0), {}},
                         {"total negative", counts(-1, 0, 0), {"snapshot.total_actions"}},
                         {"successful negative", counts(10, -1, 0), {"snapshot.successful_actions"}},
                         {"failed negative", counts(10, 0, -1), {"snapshot.failed_actions"}},
                         {"successful above total", counts(10, 11, 0), {"snapshot.successful_actions"}},
                         {"failed above total", counts(10, 0, 11), {"snapshot.failed_actions"}},
                         {"together above total", counts(10, 6, 5), {"snapshot.failed_actions"}},
                         {"the sum would overflow", counts(kLargest, kLargest, kLargest), {"snapshot.failed_actions"}},
                         {"everything wrong",
                          counts(-1, -1, -1),
                          {"snapshot.total_actions", "snapshot.successful_actions", "snapshot.failed_actions"}},
                     });
}

TEST(ReportSnapshotTest, ScoresAreRatios) {
  ExpectVariations<Report>(
      ValidReport(),
      {
          {"success rate", InSnapshot([](v1::Snapshot& s) { s.set_success_rate(1.001); }), {"snapshot.success_rate"}},
          {"success rate infinite",
           InSnapshot([](v1::Snapshot& s) { s.set_success_rate(-kInfinity); }),
           {"snapshot.success_rate"}},
          {"efficiency",
           InSnapshot([](v1::Snapshot& s) { s.set_efficiency_score(-0.001); }),
           {"snapshot.efficiency_score"}},
          {"market impact",
           InSnapshot([](v1::Snapshot& s) { s.set_market_impact_score(kNotANumber); }),
           {"snapshot.market_impact_score"}},
          {"user satisfaction",
           InSnapshot([](v1::Snapshot& s) { s.set_user_satisfaction_score(kInfinity); }),
           {"snapshot.user_satisfaction_score"}},
          {"a rate that the counts do not give", InSnapshot([](v1::Snapshot& s) { s.set_success_rate(0.1); }), {}},
      });
}

TEST(ReportSnapshotTest, ResourcesAreFiniteAndAtLeast0) {
  ExpectVariations<Report>(
      ValidReport(),
      {
          {"cpu",
           InSnapshot([](v1::Snapshot& s) { s.mutable_resource_usage()->set_cpu_usage(-1); }),
           {"snapshot.resource_usage.cpu_usage"}},
          {"memory",
           InSnapshot([](v1::Snapshot& s) { s.mutable_resource_usage()->set_memory_usage(kInfinity); }),
           {"snapshot.resource_usage.memory_usage"}},
          {"calls",
           InSnapshot([](v1::Snapshot& s) { s.mutable_resource_usage()->set_api_calls(-1); }),
           {"snapshot.resource_usage.api_calls"}},
          {"processing time",
           InSnapshot([](v1::Snapshot& s) { s.mutable_resource_usage()->mutable_processing_time()->set_nanos(-1); }),
           {"snapshot.resource_usage.processing_time"}},
          {"a long processing time",
           InSnapshot([](v1::Snapshot& s) {
             s.mutable_resource_usage()->mutable_processing_time()->set_seconds(315576000000);
             s.mutable_resource_usage()->mutable_processing_time()->set_nanos(0);
           }),
           {}},
      });
}

Record ValidRecord() {
  return Parse<Record>(R"pb(
    tenant_id: "t"
    agent_id: "a"
    points {
      metric: METRIC_SUCCESS_RATE
      value: 1
      observe_time { seconds: 1 }
    }
    points { metric: METRIC_RESPONSE_TIME value: 2.5 }
    points {
      metric: METRIC_RESOURCE_USAGE
      value: 1e9
      context { cpu_usage: 1 }
    }
    request_id: "r"
  )pb");
}

TEST(RecordDataPointsTest, EnvelopeAndNumberOfPoints) {
  ExpectVariations<Record>(
      ValidRecord(), {
                         {"empty", [](Record& r) { r.Clear(); }, {"tenant_id", "agent_id", "points"}},
                         {"no points", [](Record& r) { r.clear_points(); }, {"points"}},
                         {"1,000 points",
                          [](Record& r) {
                            while (r.points_size() < 1000) *r.add_points() = r.points(0);
                          },
                          {}},
                         {"1,001 points",
                          [](Record& r) {
                            while (r.points_size() < 1001) *r.add_points() = r.points(0);
                          },
                          {"points"}},
                         {"tenant", [](Record& r) { r.set_tenant_id("\x7F"); }, {"tenant_id"}},
                         {"agent", [](Record& r) { r.set_agent_id(std::string(129, 'a')); }, {"agent_id"}},
                         {"request id", [](Record& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
                     });
}

TEST(RecordDataPointsTest, EachPoint) {
  ExpectVariations<Record>(
      ValidRecord(),
      {
          {"no metric", [](Record& r) { r.mutable_points(1)->clear_metric(); }, {"points[1].metric"}},
          {"unknown metric",
           [](Record& r) { r.mutable_points(1)->set_metric(static_cast<v1::Metric>(7)); },
           {"points[1].metric"}},
          {"time",
           [](Record& r) { r.mutable_points(0)->mutable_observe_time()->set_nanos(1000000000); },
           {"points[0].observe_time"}},
          {"context of another metric",
           [](Record& r) { r.mutable_points(0)->mutable_context(); },
           {"points[0].context"}},
          {"context out of range",
           [](Record& r) { r.mutable_points(2)->mutable_context()->set_cpu_usage(kNotANumber); },
           {"points[2].context.cpu_usage"}},
          {"resource usage without context", [](Record& r) { r.mutable_points(2)->clear_context(); }, {}},
          {"several",
           [](Record& r) {
             r.mutable_points(0)->set_value(2);
             r.mutable_points(2)->set_value(-1);
           },
           {"points[0].value", "points[2].value"}},
      });
}

TEST(RecordDataPointsTest, EveryMetricHasItsRange) {
  struct Range {
    v1::Metric metric;
    double largest;
    double too_large;
  };
  for (const Range& range : {
           Range{v1::METRIC_SUCCESS_RATE, 1, 1.01},
           Range{v1::METRIC_EFFICIENCY_SCORE, 1, 1.01},
           Range{v1::METRIC_MARKET_IMPACT, 1, 1.01},
           Range{v1::METRIC_USER_SATISFACTION, 1, 1.01},
           Range{v1::METRIC_RESPONSE_TIME, 864000000, 864000001},
           Range{v1::METRIC_RESOURCE_USAGE, std::numeric_limits<double>::max(), kInfinity},
       }) {
    SCOPED_TRACE(v1::Metric_Name(range.metric));
    const auto value = [&](double number) {
      return [&range, number](Record& r) {
        r.clear_points();
        r.add_points()->set_metric(range.metric);
        r.mutable_points(0)->set_value(number);
      };
    };
    ExpectVariations<Record>(ValidRecord(), {
                                                {"0", value(0), {}},
                                                {"largest", value(range.largest), {}},
                                                {"too large", value(range.too_large), {"points[0].value"}},
                                                {"negative", value(-0.01), {"points[0].value"}},
                                                {"infinite", value(kInfinity), {"points[0].value"}},
                                                {"not a number", value(kNotANumber), {"points[0].value"}},
                                            });
  }
}

TEST(GetAgentTest, NamesAreRequired) {
  using Request = v1::GetAgentRequest;
  ExpectVariations<Request>(Parse<Request>("tenant_id: 't' agent_id: 'a'"),
                            {
                                {"empty", [](Request& r) { r.Clear(); }, {"tenant_id", "agent_id"}},
                                {"tenant", [](Request& r) { r.set_tenant_id("\n"); }, {"tenant_id"}},
                                {"agent", [](Request& r) { r.set_agent_id("\n"); }, {"agent_id"}},
                            });
}

TEST(ListAgentsTest, TenantAndPage) {
  using Request = v1::ListAgentsRequest;
  ExpectVariations<Request>(Parse<Request>("tenant_id: 't' page_size: 5 page_token: 'p'"),
                            {
                                {"tenant", [](Request& r) { r.clear_tenant_id(); }, {"tenant_id"}},
                                {"page size", [](Request& r) { r.set_page_size(-1); }, {"page_size"}},
                                {"default page size", [](Request& r) { r.set_page_size(0); }, {}},
                                {"any page size", [](Request& r) { r.set_page_size(1000000); }, {}},
                            });
}

TEST(GetFleetStatsTest, TenantIsOptional) {
  using Request = v1::GetFleetStatsRequest;
  ExpectVariations<Request>(Parse<Request>("tenant_id: 't'"),
                            {
                                {"all", [](Request& r) { r.clear_tenant_id(); }, {}},
                                {"tenant", [](Request& r) { r.set_tenant_id(std::string(129, 't')); }, {"tenant_id"}},
                            });
}

}  // namespace
}  // namespace interlock::server
