// The whole command against a server in this process that keeps account of what it is asked.
#include "client/cli/replay/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/input.h"
#include "client/cli/replay/test_recording.h"
#include "client/cli/test_terminal.h"
#include "client/testing/fake_server.h"
#include "core/base/time.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::cli {
namespace {

using google::protobuf::Struct;
using testing::HasSubstr;

constexpr char kSame[] = R"([{"name":"get","args":"{}"},{"name":"get","args":"{}"},{"name":"get","args":"{}"},)"
                         R"({"name":"get","args":"{}"}])";
constexpr char kOne[] = R"([{"name":"read","args":"{}"}])";

// A server with the rules that these tests need: the fourth call in a row is denied, and a failed run trips a lock.
class ReplayTest : public testing::Test {
 protected:
  void SetUp() override {
    auto& answers = server_.answers;
    answers.get_server_info = [this](grpc::ServerContext&, const v1::GetServerInfoRequest&, v1::ServerInfo& reply) {
      reply.set_time_source(time_source_);
      reply.set_alert_sequence(100);
      return grpc::Status::OK;
    };
    answers.update_policy = [this](grpc::ServerContext&, const v1::UpdatePolicyRequest& request, v1::PolicySet&) {
      const std::lock_guard<std::mutex> lock(mutex_);
      profiles_[request.policy().tenant_id()] = request.policy().profile();
      return grpc::Status::OK;
    };
    answers.arbitrate_stream = [this](auto&, auto& stream) {
      v1::ArbitrateStreamRequest message;
      while (stream.Read(&message)) stream.Write(Decide(message));
      return grpc::Status::OK;
    };
    answers.record_data_points = [this](auto&, const auto& request, auto& reply) { return Record(request, reply); };
    answers.list_locks = [this](auto&, const v1::ListLocksRequest& request, v1::ListLocksResponse& reply) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (locks_.count(request.tenant_id()) > 0) *reply.add_locks() = locks_[request.tenant_id()];
      return grpc::Status::OK;
    };
    answers.get_agent = [this](auto&, const v1::GetAgentRequest& request, v1::Agent& reply) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (reported_.count(request.tenant_id()) == 0) return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such agent");
      EXPECT_EQ(absl::StrCat("replay-", request.agent_id()), request.tenant_id());
      if (locks_.count(request.tenant_id()) > 0) *reply.add_locks() = locks_[request.tenant_id()];
      return grpc::Status::OK;
    };
    answers.release_lock = [this](auto&, const v1::ReleaseLockRequest& request, v1::Lock&) {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++releases_;
      for (auto it = locks_.begin(); it != locks_.end(); ++it) {
        if (it->second.lock_id() != request.lock_id() || it->second.version() != request.version()) continue;
        locks_.erase(it);
        return grpc::Status::OK;
      }
      return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such lock");
    };
    answers.list_alerts = [](auto&, const v1::ListAlertsRequest& request, v1::ListAlertsResponse& reply) {
      EXPECT_EQ(request.after_sequence(), 100);
      v1::Alert* alert = reply.add_alerts();
      alert->set_tenant_id(request.page_token().empty() ? "replay-gpt" : "somebody-else");
      alert->set_type("lock");
      if (request.page_token().empty()) reply.set_next_page_token("more");
      return grpc::Status::OK;
    };
  }

  v1::ArbitrateStreamResponse Decide(const v1::ArbitrateStreamRequest& message) {
    const std::lock_guard<std::mutex> lock(mutex_);
    v1::ArbitrateStreamResponse response;
    for (int i = 0; i < message.requests_size(); ++i) {
      const v1::Action& action = message.requests(i).action();
      actions_[action.tenant_id()].push_back(action);
      if (action.action_type() == "refused") {
        response.add_results()->mutable_error()->set_code(3);
        continue;
      }
      v1::Decision* decision = response.add_results()->mutable_decision();
      const bool locked = locks_.count(action.tenant_id()) > 0;
      decision->set_decision_id("d");
      decision->set_lock_active(locked);
      decision->set_verdict(locked ? v1::VERDICT_LOCK : i == 3 ? v1::VERDICT_DENY : v1::VERDICT_ALLOW);
    }
    return response;
  }

  grpc::Status Record(const v1::RecordDataPointsRequest& request, v1::RecordDataPointsResponse& reply) {
    const std::lock_guard<std::mutex> lock(mutex_);
    reported_.insert(request.tenant_id());
    const bool failed = request.points(0).value() == 0;
    reply.mutable_assessment()->set_tier(failed ? 3 : 0);
    if (!failed) return grpc::Status::OK;
    v1::Lock& trip = locks_[request.tenant_id()];
    if (!trip.lock_id().empty()) return grpc::Status::OK;
    trip.set_lock_id(absl::StrCat("lock-", ++last_lock_));
    trip.set_tenant_id(request.tenant_id());
    trip.set_kind(v1::LOCK_KIND_TRIP);
    trip.set_version(last_lock_);
    return grpc::Status::OK;
  }

  ProgramResult Replay(const std::string& text, std::vector<std::string> flags = {}) {
    std::vector<std::string> words = {"replay", WriteGzip("runs.gz", text)};
    words.insert(words.end(), flags.begin(), flags.end());
    return RunAgainst(server_.address(), words);
  }

  // The totals of the first profile.
  Struct Totals(const ProgramResult& result) {
    Struct report;
    EXPECT_TRUE(ParseJson(result.out, &report).ok()) << result.out << result.err;
    if (report.fields().count("profiles") == 0) return Struct();
    return report.fields().at("profiles").list_value().values(0).struct_value().fields().at("totals").struct_value();
  }

  double Number(const Struct& object, const std::string& name) {
    return object.fields().count(name) == 0 ? -1 : object.fields().at(name).number_value();
  }

  v1::TimeSource time_source_ = v1::TIME_SOURCE_REQUEST;
  std::mutex mutex_;
  std::map<std::string, std::string> profiles_;
  std::map<std::string, std::vector<v1::Action>> actions_;
  std::map<std::string, v1::Lock> locks_;
  std::set<std::string> reported_;
  int last_lock_ = 0;
  int releases_ = 0;
  client::FakeServer server_;
};

TEST_F(ReplayTest, CallsAreDecidedReportedAndCounted) {
  const ProgramResult result =
      Replay(RunLine("gpt", kSame) + RunLine("gpt", kOne) + RunLine("command", kOne), {"--json"});
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  const Struct totals = Totals(result);
  EXPECT_EQ(Number(totals, "runs"), 3);
  EXPECT_EQ(Number(totals, "actions"), 6);
  EXPECT_EQ(Number(totals, "allow"), 5);
  EXPECT_EQ(Number(totals, "deny"), 1);
  EXPECT_EQ(Number(totals, "alerts"), 1) << "those of other tenants do not count";
  const Struct& loops = totals.fields().at("fourth_identical_calls").struct_value();
  EXPECT_EQ(Number(loops, "runs"), 1);
  EXPECT_EQ(Number(loops, "denied"), 1);
  EXPECT_EQ(profiles_,
            (std::map<std::string, std::string>{{"replay-command", "tool_calling"}, {"replay-gpt", "tool_calling"}}));
}

TEST_F(ReplayTest, RunsOfAnAgentAreLaidEndToEndInRequestTime) {
  ASSERT_EQ(Replay(RunLine("gpt", kOne) + RunLine("gpt", kOne)).exit_code, kExitOk);
  const std::vector<v1::Action>& actions = actions_["replay-gpt"];
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_EQ(FromProto(actions[1].request_time()) - FromProto(actions[0].request_time()), absl::Seconds(10));
}

TEST_F(ReplayTest, TripIsCountedAndReleasedBeforeTheNextRun) {
  const std::string failed = RunLine("gpt", kOne, false);
  const ProgramResult result = Replay(failed + failed + RunLine("gpt", kOne), {"--json"});
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  EXPECT_EQ(Number(Totals(result), "trips"), 2);
  EXPECT_EQ(Number(Totals(result), "lock"), 0);
  EXPECT_EQ(releases_, 2);
  EXPECT_EQ(Number(Totals(result), "tier_max"), 3);
}

TEST_F(ReplayTest, LocksCanBeKept) {
  const ProgramResult result = Replay(RunLine("gpt", kOne, false) + RunLine("gpt", kOne), {"--json", "--keep_locks"});
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  EXPECT_EQ(Number(Totals(result), "trips"), 1);
  EXPECT_EQ(Number(Totals(result), "lock"), 1);
  EXPECT_EQ(releases_, 0);
}

TEST_F(ReplayTest, LockThatAnEarlierReplayLeftIsReleasedAndNotCounted) {
  v1::Lock& left = locks_["replay-gpt"];
  left.set_lock_id("lock-left");
  left.set_tenant_id("replay-gpt");
  left.set_kind(v1::LOCK_KIND_TRIP);
  const ProgramResult result = Replay(RunLine("gpt", kOne), {"--json"});
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  EXPECT_EQ(Number(Totals(result), "allow"), 1);
  EXPECT_EQ(Number(Totals(result), "trips"), 0);
  EXPECT_EQ(releases_, 1);
}

TEST_F(ReplayTest, LockOfAPersonStaysAndIsNamed) {
  v1::Lock& stop = locks_["replay-gpt"];
  stop.set_lock_id("lock-stop");
  stop.set_tenant_id("replay-gpt");
  stop.set_kind(v1::LOCK_KIND_EMERGENCY_STOP);
  const ProgramResult result = Replay(RunLine("gpt", kOne), {"--json"});
  EXPECT_EQ(Number(Totals(result), "lock"), 1);
  EXPECT_EQ(releases_, 0);
  EXPECT_THAT(result.err, HasSubstr("lock-stop was in force before the replay"));
}

TEST_F(ReplayTest, BadLinesAreNamedCountedAndEndWithOne) {
  const ProgramResult result = Replay(RunLine("gpt", kOne) + "nonsense\n" + RunLine("gpt", kOne) + "{}\n", {"--json"});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("error: line 2 is no run: "));
  EXPECT_THAT(result.err, HasSubstr("error: line 4 is no run: agent is missing"));
  EXPECT_THAT(result.err, HasSubstr("error: 2 lines are no runs"));
  EXPECT_EQ(Number(Totals(result), "runs"), 2);
}

TEST_F(ReplayTest, CallsWithoutAVerdictAreCountedAndEndWithOne) {
  const ProgramResult result = Replay(RunLine("gpt", R"([{"name":"refused","args":"{}"}])"), {"--json"});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_EQ(Number(Totals(result), "no_verdict"), 1);
  EXPECT_EQ(Number(Totals(result), "allow"), 0);
  EXPECT_THAT(result.err, HasSubstr("note: gpt, refused: no verdict"));
}

TEST_F(ReplayTest, LongRunsAreSentInSeveralMessagesInOrder) {
  std::string calls;
  for (int i = 0; i < 150; ++i) absl::StrAppend(&calls, i == 0 ? "[" : ",", R"({"name":"n)", i, R"(","args":"{}"})");
  ASSERT_EQ(Replay(RunLine("gpt", calls + "]")).exit_code, kExitOk);
  const std::vector<v1::Action>& actions = actions_["replay-gpt"];
  ASSERT_EQ(actions.size(), 150u);
  for (size_t i = 0; i < actions.size(); ++i) EXPECT_EQ(actions[i].action_type(), absl::StrCat("n", i));
}

TEST_F(ReplayTest, ManyAgentsKeepTheOrderOfTheirRuns) {
  std::string text;
  for (int run = 0; run < 20; ++run) {
    for (int agent = 0; agent < 10; ++agent) {
      text += RunLine(absl::StrCat("agent", agent), absl::StrCat(R"([{"name":"run)", run, R"(","args":"{}"}])"));
    }
  }
  ASSERT_EQ(Replay(text, {"--parallel=3"}).exit_code, kExitOk);
  for (int agent = 0; agent < 10; ++agent) {
    const std::vector<v1::Action>& actions = actions_[absl::StrCat("replay-agent", agent)];
    ASSERT_EQ(actions.size(), 20u);
    for (size_t run = 0; run < 20; ++run) EXPECT_EQ(actions[run].action_type(), absl::StrCat("run", run));
  }
}

TEST_F(ReplayTest, BothProfilesArePlayedInTenantsOfTheirOwn) {
  const ProgramResult result = Replay(RunLine("gpt", kOne), {"--profile=both"});
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  EXPECT_EQ(profiles_, (std::map<std::string, std::string>{{"replay-gpt", "tool_calling"},
                                                           {"replay-reference-gpt", "reference"}}));
  EXPECT_THAT(result.out, HasSubstr("| reference"));
  EXPECT_THAT(result.out, HasSubstr("| tool_calling"));
}

TEST_F(ReplayTest, WallClockServerGetsNoTimesAndAWarning) {
  time_source_ = v1::TIME_SOURCE_WALL;
  const ProgramResult result = Replay(RunLine("gpt", kOne));
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_THAT(result.err, HasSubstr("warning: this server goes by the wall clock"));
  EXPECT_FALSE(actions_["replay-gpt"][0].has_request_time());
}

TEST_F(ReplayTest, ServerThatFailsEndsTheReplay) {
  server_.answers.record_data_points = [](auto&, const auto&, auto&) {
    return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "agents only");
  };
  const ProgramResult result = Replay(RunLine("gpt", kOne));
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("agents only"));
  EXPECT_EQ(result.out, "");
}

TEST_F(ReplayTest, RefusedReportIsCountedAndTheReplayGoesOn) {
  server_.answers.record_data_points = [](auto&, const auto&, auto&) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "too far ahead");
  };
  const ProgramResult result = Replay(RunLine("gpt", kOne) + RunLine("gpt", kOne), {"--json"});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_EQ(Number(Totals(result), "refused_reports"), 2);
  EXPECT_EQ(Number(Totals(result), "runs"), 2);
}

TEST_F(ReplayTest, MissingRecordingAndMissingServerProgramAreNamed) {
  EXPECT_THAT(RunAgainst(server_.address(), {"replay", "/does/not/exist"}).err,
              HasSubstr("cannot read /does/not/exist"));
  const std::string runs = WriteGzip("runs.gz", RunLine("gpt", kOne));
  unsetenv("INTERLOCK_ADDRESS");
  EXPECT_THAT(RunAgainst("", {"replay", runs, "--interlockd=/does/not/exist"}).err,
              HasSubstr("there is no interlockd at /does/not/exist"));
  const ProgramResult both = RunAgainst(server_.address(), {"replay", runs, "--interlockd=x"});
  EXPECT_EQ(both.exit_code, kExitUsage);
}

TEST_F(ReplayTest, ReportIsATableForPeople) {
  const ProgramResult result = Replay(RunLine("gpt", kSame));
  EXPECT_THAT(result.out, HasSubstr("agent  runs  actions  allow  deny  lock  tier  tiers 0/1/2/3  alerts  trips\n"
                                    "gpt       1        4      3     1     0     0        1/0/0/0       1      0\n"));
  EXPECT_THAT(result.out, HasSubstr("calls of successful benign runs allowed  75.0 % (3 of 4 calls)\n"));
  EXPECT_THAT(result.out, HasSubstr("fourth identical call in a row denied    100.0 % (1 of 1 runs)\n"));
}

}  // namespace
}  // namespace interlock::cli
