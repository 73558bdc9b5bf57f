// What each command asks for and shows, against a server that answers as told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "client/cli/input.h"
#include "client/cli/test_terminal.h"
#include "client/testing/details.h"
#include "client/testing/fake_server.h"
#include "core/base/time.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

const absl::Time kTime = absl::FromUnixSeconds(1'700'000'000);

class CommandsTest : public testing::Test {
 protected:
  ProgramResult Run(const std::vector<std::string>& words, const std::string& input = "") {
    return RunAgainst(server_.address(), words, input);
  }

  std::string WriteFile(const std::string& text) {
    const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/file.json";
    std::ofstream(path) << text;
    return path;
  }

  client::FakeServer server_;
};

v1::Decision MakeDecision(v1::Verdict verdict) {
  v1::Decision decision;
  decision.set_decision_id("decision-7");
  decision.set_sequence(7);
  decision.set_agent_id("a1");
  decision.set_action_type("send_email");
  decision.set_verdict(verdict);
  decision.set_risk_level(v1::RISK_LEVEL_HIGH);
  decision.set_category("outbound");
  decision.set_tier(1);
  decision.set_confidence(0.81);
  *decision.mutable_decide_time() = ToProto(kTime);
  v1::Reason* reason = decision.add_reasons();
  reason->set_text("Safety policy violation or approval requirement triggered");
  reason->set_code(v1::REASON_CODE_POLICY_VIOLATED);
  reason = decision.add_reasons();
  reason->set_text("Hourly limit exceeded: 10/10");
  reason->set_code(v1::REASON_CODE_LIMIT_HOURLY);
  reason->set_violation(true);
  *reason->mutable_retry_after() = ToProto(absl::Minutes(12));
  return decision;
}

TEST_F(CommandsTest, DecideExitsWithTheVerdict) {
  v1::Verdict verdict = v1::VERDICT_ALLOW;
  server_.answers.arbitrate = [&](grpc::ServerContext&, const v1::ArbitrateRequest&, v1::Decision& reply) {
    reply = MakeDecision(verdict);
    return grpc::Status::OK;
  };
  const std::vector<std::string> words = {"decide", "--tenant=t", "--agent=a1", "--type=send_email"};
  EXPECT_EQ(Run(words).exit_code, 0);
  verdict = v1::VERDICT_DENY;
  EXPECT_EQ(Run(words).exit_code, 3);
  verdict = v1::VERDICT_LOCK;
  EXPECT_EQ(Run(words).exit_code, 4);
  for (const int unknown : {0, 9}) {
    verdict = static_cast<v1::Verdict>(unknown);
    const ProgramResult result = Run(words);
    EXPECT_EQ(result.exit_code, 5);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr("There is no verdict: take it as DENY."));
  }
}

TEST_F(CommandsTest, DecideWithoutAnAnswerIsNoVerdict) {
  const ProgramResult result =
      RunAgainst(client::UnreachableAddress(), {"decide", "--tenant=t", "--agent=a1", "--type=x"});
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("take it as DENY"));
}

TEST_F(CommandsTest, DecideSendsTheWholeAction) {
  v1::ArbitrateRequest sent;
  server_.answers.arbitrate = [&](grpc::ServerContext&, const v1::ArbitrateRequest& request, v1::Decision& reply) {
    sent = request;
    reply = MakeDecision(v1::VERDICT_ALLOW);
    return grpc::Status::OK;
  };
  ASSERT_EQ(Run({"decide", "--tenant=t", "--agent=a1", "--type=send_email", "--category=outbound", "--target=bob",
                 "--parameters={\"to\":\"bob\"}", "--risk=0.25", "--impact=0.5", "--tier=2", "--supervised",
                 "--action_id=x7", "--request_id=r1"})
                .exit_code,
            0);
  v1::ArbitrateRequest expected;
  ASSERT_TRUE(ParseJson(R"({"requestId": "r1", "action": {"tenantId": "t", "agentId": "a1", "actionId": "x7",
      "actionType": "send_email", "category": "outbound", "targetResource": "bob", "parameters": {"to": "bob"},
      "riskScore": 0.25, "impactScore": 0.5, "recommendedTier": 2, "autonomousModification": false}})",
                        &expected)
                  .ok());
  EXPECT_EQ(sent.DebugString(), expected.DebugString());
}

TEST_F(CommandsTest, OutcomeIsSentAndShown) {
  v1::ReportActionOutcomeRequest sent;
  server_.answers.report_action_outcome = [&](grpc::ServerContext&, const v1::ReportActionOutcomeRequest& request,
                                              v1::ReportActionOutcomeResponse& reply) {
    sent = request;
    reply.mutable_outcome()->set_decision_id(request.decision_id());
    reply.mutable_outcome()->set_outcome(request.outcome());
    reply.mutable_outcome()->set_refunded(true);
    return grpc::Status::OK;
  };
  const ProgramResult result =
      Run({"outcome", "decision-7", "--tenant=t", "--result=not_executed", "--detail=the site was down"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(sent.decision_id(), "decision-7");
  EXPECT_EQ(sent.outcome(), v1::OUTCOME_NOT_EXECUTED);
  EXPECT_EQ(sent.detail(), "the site was down");
  EXPECT_THAT(result.out, HasSubstr("given back to its episode"));
  EXPECT_NE(Run({"outcome", "decision-7", "--tenant=t", "--result=fine"}).exit_code, 0);
}

TEST_F(CommandsTest, DecideLeavesUnsetWhatIsNotGivenAndReadsParametersFromInput) {
  v1::ArbitrateRequest sent;
  server_.answers.arbitrate = [&](grpc::ServerContext&, const v1::ArbitrateRequest& request, v1::Decision& reply) {
    sent = request;
    reply = MakeDecision(v1::VERDICT_ALLOW);
    return grpc::Status::OK;
  };
  ASSERT_EQ(Run({"decide", "--tenant=t", "--agent=a1", "--type=x", "--parameters=@-"}, "{\"n\": 1}").exit_code, 0);
  EXPECT_FALSE(sent.action().has_risk_score());
  EXPECT_FALSE(sent.action().has_recommended_tier());
  EXPECT_FALSE(sent.action().has_autonomous_modification());
  EXPECT_EQ(sent.action().parameters().fields().at("n").number_value(), 1);
}

TEST_F(CommandsTest, ExplainShowsTheDecisionAndItsReasons) {
  server_.answers.explain_action = [](grpc::ServerContext&, const v1::ExplainActionRequest&, v1::Decision& reply) {
    reply = MakeDecision(v1::VERDICT_DENY);
    reply.clear_decision_id();
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"explain", "--tenant=t", "--agent=a1", "--type=send_email"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out,
            "DENY  send_email by a1\n"
            "  · Safety policy violation or approval requirement triggered  [policy_violated]\n"
            "  ✗ Hourly limit exceeded: 10/10  [limit_hourly], again in 12m\n"
            "risk        high\n"
            "category    outbound\n"
            "tier        1\n"
            "confidence  0.81\n"
            "policy      built-in profile\n"
            "decided     2023-11-14 22:13:20Z\n");
}

TEST_F(CommandsTest, JsonIsOneObjectALineThatReadsBack) {
  server_.answers.explain_action = [](grpc::ServerContext&, const v1::ExplainActionRequest&, v1::Decision& reply) {
    reply = MakeDecision(v1::VERDICT_DENY);
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"explain", "--tenant=t", "--agent=a1", "--type=send_email", "--json"});
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
  v1::Decision decision;
  ASSERT_TRUE(ParseJson(result.out, &decision).ok()) << result.out;
  EXPECT_EQ(decision.DebugString(), MakeDecision(v1::VERDICT_DENY).DebugString());
  EXPECT_THAT(result.out, HasSubstr("\"replayed\":false"));
}

TEST_F(CommandsTest, DecisionsAreATable) {
  server_.answers.list_decisions = [](grpc::ServerContext&, const v1::ListDecisionsRequest& request,
                                      v1::ListDecisionsResponse& reply) {
    EXPECT_EQ(request.verdict(), v1::VERDICT_DENY);
    *reply.add_decisions() = MakeDecision(v1::VERDICT_DENY);
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"decisions", "--tenant=t", "--verdict=deny"});
  EXPECT_EQ(result.out,
            "sequence  decided               agent  action      verdict  risk  tier  category  why\n"
            "       7  2023-11-14 22:13:20Z  a1     send_email  DENY     high     1  outbound  Hourly limit exceeded: "
            "10/10\n");
}

// Serves five decisions in pages of two, the second of which is empty.
void ServePages(client::FakeServer& server) {
  server.answers.list_decisions = [](grpc::ServerContext&, const v1::ListDecisionsRequest& request,
                                     v1::ListDecisionsResponse& reply) {
    const std::string& token = request.page_token();
    const int rows = token == "1" ? 0 : std::min(2, request.page_size());
    for (int i = 0; i < rows; ++i) *reply.add_decisions() = MakeDecision(v1::VERDICT_DENY);
    reply.set_next_page_token(token.empty() ? "1" : token == "1" ? "2" : token == "2" ? "3" : "");
    return grpc::Status::OK;
  };
}

TEST_F(CommandsTest, ListsGoOnFromPageToPage) {
  ServePages(server_);
  v1::ListDecisionsResponse list;
  ASSERT_TRUE(ParseJson(Run({"decisions", "--tenant=t", "--json"}).out, &list).ok());
  EXPECT_EQ(list.decisions_size(), 6);
  EXPECT_EQ(list.next_page_token(), "");
}

TEST_F(CommandsTest, ListsEndAtTheLimitAndSayThatThereIsMore) {
  ServePages(server_);
  const ProgramResult result = Run({"decisions", "--tenant=t", "--limit=3"});
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 4);
  EXPECT_THAT(result.err, HasSubstr("There are more: --limit=0 shows all."));
  v1::ListDecisionsResponse list;
  ASSERT_TRUE(ParseJson(Run({"decisions", "--tenant=t", "--limit=3", "--json"}).out, &list).ok());
  EXPECT_EQ(list.decisions_size(), 3);
  EXPECT_EQ(list.next_page_token(), "3");
}

TEST_F(CommandsTest, AgentsAreATableInWhichNoDataIsNotZero) {
  server_.answers.list_agents = [](grpc::ServerContext&, const v1::ListAgentsRequest&, v1::ListAgentsResponse& reply) {
    v1::Agent* agent = reply.add_agents();
    agent->set_agent_id("failing");
    agent->mutable_snapshot()->set_success_rate(0.5);
    *agent->mutable_snapshot()->mutable_average_response_time() = ToProto(absl::Milliseconds(1200));
    agent->mutable_assessment()->set_tier(3);
    agent->mutable_assessment()->set_health_score(0.4);
    agent->mutable_assessment()->set_data_state(v1::DATA_STATE_PARTIAL);
    agent->add_locks();
    *agent->mutable_report_time() = ToProto(kTime);
    agent = reply.add_agents();
    agent->set_agent_id("new");
    agent->mutable_assessment()->set_data_state(v1::DATA_STATE_NO_DATA);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"agents", "list", "--tenant=t"}).out,
            "agent    tier     health  success  efficiency  impact  response  locks  reported\n"
            "failing  3           0.4      0.5           -       -      1.2s      1  2023-11-14 22:13:20Z\n"
            "new      no data       -        -           -       -                0\n");
}

TEST_F(CommandsTest, StatusShowsTheServer) {
  server_.answers.get_server_info = [](grpc::ServerContext&, const v1::GetServerInfoRequest&, v1::ServerInfo& reply) {
    reply.set_version("0.1.0");
    reply.set_epoch("e1");
    reply.set_time_source(v1::TIME_SOURCE_WALL);
    reply.set_decision_sequence(12345);
    reply.set_caller("human:local");
    return grpc::Status::OK;
  };
  server_.answers.get_fleet_stats = [](grpc::ServerContext&, const v1::GetFleetStatsRequest&, v1::FleetStats& reply) {
    for (const int count : {4, 0, 1, 2}) reply.add_agents_by_tier(count);
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"status"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("version 0.1.0"));
  EXPECT_THAT(result.out, HasSubstr("decisions        12,345\n"));
  EXPECT_THAT(result.out, HasSubstr("you are          human:local\n"));
  EXPECT_THAT(result.out, HasSubstr("tier 0: 4, tier 1: 0, tier 2: 1, tier 3: 2\n"));
}

TEST_F(CommandsTest, ReleaseTakesTheVersionThatWasLookedAt) {
  int64_t version = 0;
  server_.answers.release_lock = [&](grpc::ServerContext&, const v1::ReleaseLockRequest& request, v1::Lock& reply) {
    version = request.version();
    EXPECT_EQ(request.reason(), "checked");
    reply.set_lock_id("lock-1");
    reply.set_state(v1::LOCK_STATE_CLEAR);
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"lock", "release", "lock-1", "--reason=checked", "--version=4"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(version, 4);
  EXPECT_THAT(result.out, HasSubstr("state    released\n"));
}

TEST_F(CommandsTest, EngagingATenantLockNamesTheTenantOnce) {
  v1::EngageLockRequest sent;
  server_.answers.engage_lock = [&](grpc::ServerContext&, const v1::EngageLockRequest& request, v1::Lock&) {
    sent = request;
    return grpc::Status::OK;
  };
  ASSERT_EQ(Run({"lock", "engage", "--tenant=t", "--scope=tenant", "--reason=stop"}).exit_code, 0);
  EXPECT_EQ(sent.scope().id(), "t");
  ASSERT_EQ(Run({"lock", "engage", "--tenant=t", "--scope=agent", "--id=a1", "--reason=stop"}).exit_code, 0);
  EXPECT_EQ(sent.scope().kind(), v1::SCOPE_KIND_AGENT);
  EXPECT_EQ(sent.scope().id(), "a1");
}

TEST_F(CommandsTest, LockWatchShowsThoseInForceOnce) {
  server_.answers.get_server_info = [](grpc::ServerContext&, const v1::GetServerInfoRequest&, v1::ServerInfo&) {
    return grpc::Status::OK;
  };
  server_.answers.watch_locks = [](grpc::ServerContext&, const v1::WatchLocksRequest&,
                                   grpc::ServerWriter<v1::WatchLocksResponse>& writer) {
    v1::WatchLocksResponse message;
    message.mutable_lock()->set_lock_id("lock-1");
    message.mutable_lock()->set_state(v1::LOCK_STATE_TRIPPED);
    writer.Write(message);
    message.set_snapshot_end(true);
    writer.Write(message);
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"lock", "watch", "--once"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("in force  lock-1"));
}

void ServeAlerts(client::FakeServer& server) {
  server.answers.get_server_info = [](grpc::ServerContext&, const v1::GetServerInfoRequest&, v1::ServerInfo&) {
    return grpc::Status::OK;
  };
  server.answers.subscribe_alerts = [](grpc::ServerContext&, const v1::SubscribeAlertsRequest& request,
                                       grpc::ServerWriter<v1::SubscribeAlertsResponse>& writer) {
    v1::SubscribeAlertsResponse message;
    message.mutable_opened()->set_after_sequence(request.after_sequence());
    writer.Write(message);
    message.mutable_batch()->set_previous_sequence(request.after_sequence());
    for (int64_t next = 1; next <= 3; ++next) {
      v1::Alert* alert = message.mutable_batch()->add_alerts();
      alert->set_sequence(request.after_sequence() + next);
      alert->set_tier(3);
      alert->set_type("systemic_anomaly");
      alert->set_transition(v1::TRANSITION_FIRED);
      alert->set_agent_id("a1");
    }
    writer.Write(message);
    return grpc::Status::OK;
  };
}

TEST_F(CommandsTest, AlertsWatchEndsAfterTheCount) {
  ServeAlerts(server_);
  const ProgramResult result = Run({"alerts", "watch", "--after=10", "--count=2"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out,
            "11  3  systemic_anomaly  fired  a1\n"
            "12  3  systemic_anomaly  fired  a1\n");
}

TEST_F(CommandsTest, AlertsWatchWritesOneJsonObjectALine) {
  ServeAlerts(server_);
  const ProgramResult result = Run({"alerts", "watch", "--after=10", "--count=2", "--json"});
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 2);
  v1::Alert alert;
  ASSERT_TRUE(ParseJson(result.out.substr(0, result.out.find('\n')), &alert).ok());
  EXPECT_EQ(alert.sequence(), 11);
}

TEST_F(CommandsTest, AlertsWatchSaysHowManyWereLost) {
  ServeAlerts(server_);
  server_.answers.subscribe_alerts = [](grpc::ServerContext&, const v1::SubscribeAlertsRequest&,
                                        grpc::ServerWriter<v1::SubscribeAlertsResponse>& writer) {
    v1::SubscribeAlertsResponse message;
    message.mutable_opened()->set_after_sequence(1);
    writer.Write(message);
    return client::WireError(grpc::StatusCode::OUT_OF_RANGE, "SEQUENCE_EXPIRED", "cut", {{"lost_count", "30"}});
  };
  const ProgramResult result = Run({"alerts", "watch", "--after=1"});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("30 alerts were cut from the log unseen."));
  EXPECT_THAT(result.err, HasSubstr("interlockctl alerts list"));
}

TEST_F(CommandsTest, PolicyGoesThroughJsonAndBack) {
  v1::PolicySet stored;
  stored.set_tenant_id("t");
  stored.set_etag("e7");
  stored.add_tiers()->mutable_thresholds()->set_success_rate(0);
  stored.mutable_pattern_rules()->mutable_call_rate()->set_max_calls(5);
  server_.answers.get_policy = [&](grpc::ServerContext&, const v1::GetPolicyRequest&, v1::PolicySet& reply) {
    reply = stored;
    return grpc::Status::OK;
  };
  v1::UpdatePolicyRequest sent;
  server_.answers.update_policy = [&](grpc::ServerContext&, const v1::UpdatePolicyRequest& request,
                                      v1::PolicySet& reply) {
    sent = request;
    reply = request.policy();
    return grpc::Status::OK;
  };
  const std::string json = Run({"policy", "get", "--tenant=t", "--json"}).out;
  ASSERT_EQ(Run({"policy", "set", WriteFile(json)}).exit_code, 0);
  EXPECT_EQ(sent.policy().DebugString(), stored.DebugString());
  ASSERT_EQ(Run({"policy", "set", "-", "--tenant=other"}, json).exit_code, 0);
  EXPECT_EQ(sent.policy().tenant_id(), "other");
}

TEST_F(CommandsTest, PolicyUseSendsNothingButTheProfile) {
  v1::UpdatePolicyRequest sent;
  server_.answers.update_policy = [&](grpc::ServerContext&, const v1::UpdatePolicyRequest& request, v1::PolicySet&) {
    sent = request;
    return grpc::Status::OK;
  };
  ASSERT_EQ(Run({"policy", "use", "tool_calling", "--tenant=t"}).exit_code, 0);
  EXPECT_EQ(sent.policy().ShortDebugString(), "tenant_id: \"t\" profile: \"tool_calling\"");
}

TEST_F(CommandsTest, PolicyThatIsNotValidExitsWithOne) {
  bool valid = false;
  server_.answers.validate_policy = [&](grpc::ServerContext&, const v1::ValidatePolicyRequest&,
                                        v1::ValidatePolicyResponse& reply) {
    reply.set_valid(valid);
    if (valid) return grpc::Status::OK;
    reply.add_violations()->set_field("tiers[2].tier");
    reply.mutable_violations(0)->set_description("must be 3");
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"policy", "validate", "-"}, "{}");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "not valid\n  tiers[2].tier: must be 3\n");
  valid = true;
  EXPECT_EQ(Run({"policy", "validate", "-"}, "{}").exit_code, 0);
}

TEST_F(CommandsTest, FilesThatAreNoPolicyAreNamed) {
  EXPECT_THAT(Run({"policy", "set", "/does/not/exist"}).err, HasSubstr("cannot read /does/not/exist"));
  EXPECT_THAT(Run({"policy", "set", "-"}, "nonsense").err, HasSubstr("- is no policy: "));
}

TEST_F(CommandsTest, SecretsOfATaskComeFromFiles) {
  v1::CreateTaskRequest sent;
  server_.answers.create_task = [&](grpc::ServerContext&, const v1::CreateTaskRequest& request, v1::Task& reply) {
    sent = request;
    reply = request.task();
    reply.set_task_id("task-1");
    return grpc::Status::OK;
  };
  const ProgramResult result =
      Run({"tasks", "create", "--tenant=t", "--target=gsc", "--token_endpoint=https://x/token", "--client_id=c",
           "--refresh_token_file=-", "--client_secret_file=" + WriteFile("hush\n"), "--interval=2d"},
          "  token\n");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(sent.oauth_grant().refresh_token(), "token");
  EXPECT_EQ(sent.oauth_grant().client_secret(), "hush");
  EXPECT_EQ(FromProto(sent.task().interval()), absl::Hours(48));
  EXPECT_THAT(result.out, Not(HasSubstr("hush")));
}

TEST_F(CommandsTest, AttemptsSayWhoTriggeredThem) {
  server_.answers.list_attempts = [](grpc::ServerContext&, const v1::ListAttemptsRequest&,
                                     v1::ListAttemptsResponse& reply) {
    v1::Attempt* attempt = reply.add_attempts();
    attempt->set_lease_epoch(2);
    attempt->set_outcome(v1::ATTEMPT_OUTCOME_SUCCEEDED);
    attempt->set_manual(true);
    attempt->mutable_triggered_by()->set_id("alice");
    attempt->mutable_triggered_by()->set_kind(v1::PRINCIPAL_KIND_HUMAN);
    attempt = reply.add_attempts();
    attempt->set_lease_epoch(1);
    attempt->set_outcome(v1::ATTEMPT_OUTCOME_FAILED);
    attempt->set_error_message("token endpoint answered 503");
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"tasks", "attempts", "task-1", "--tenant=t"}).out,
            "lease  outcome    due  began  ended  by           error\n"
            "    2  succeeded                     human:alice\n"
            "    1  failed                        timer        token endpoint answered 503\n");
}

}  // namespace
}  // namespace interlock::cli
