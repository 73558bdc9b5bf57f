#include "server/main/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "core/engine/keys.h"
#include "core/engine/store.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "server/base/gate.h"

namespace interlock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

v1::Alert SystemicAlert(v1::Transition transition, int32_t episode_tier) {
  v1::Alert alert;
  alert.set_sequence(7);
  alert.set_type("systemic_anomaly");
  alert.set_tenant_id("t1");
  alert.set_agent_id("a\"1");
  alert.set_episode_id("episode-3");
  alert.set_transition(transition);
  alert.set_tier(3);
  alert.set_episode_tier(episode_tier);
  v1::DiagnosticBrief& brief = *alert.mutable_diagnostic_brief();
  brief.add_trigger_metrics(v1::METRIC_SUCCESS_RATE);
  brief.set_max_iterations(3);
  brief.add_alerts()->set_message("free text");
  brief.mutable_alerts(0)->set_current_value(0.25);
  brief.mutable_evidence()->set_lock_reason("what a person wrote");
  brief.mutable_evidence()->set_lock_id("lock-9");
  return alert;
}

std::vector<LogLine> LinesOfAlert(const v1::Alert& alert) {
  Effects effects;
  effects.alerts.push_back(alert);
  return LinesOf(effects);
}

std::vector<LogLine> LinesOfDecision(const v1::Decision& decision) {
  Effects effects;
  effects.writes.Put(Table::kDecision, keys::TenantNumber("t1", 5), decision);
  return LinesOf(effects);
}

TEST(EventLogTest, ASystemicAnomalyIsRoutedWithItsBriefAsJson) {
  const auto lines = LinesOfAlert(SystemicAlert(v1::TRANSITION_FIRED, 3));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].severity, LogSeverity::kError);
  absl::string_view json = lines[0].text;
  ASSERT_TRUE(absl::ConsumePrefix(&json, "[ALERTING_SUBSYSTEM] Tier 3 systemic anomaly routed: ")) << json;
  google::protobuf::Struct brief;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(std::string(json), &brief).ok()) << json;
  EXPECT_EQ(brief.fields().at("trigger_metrics").list_value().values(0).string_value(), "METRIC_SUCCESS_RATE");
  EXPECT_EQ(brief.fields().at("max_iterations").number_value(), 3);
  EXPECT_EQ(brief.fields().at("tenant_id").string_value(), "t1");
  EXPECT_EQ(brief.fields().at("agent_id").string_value(), "a\"1");
  EXPECT_EQ(brief.fields().at("episode_id").string_value(), "episode-3");
  EXPECT_EQ(brief.fields().at("sequence").string_value(), "7");
}

TEST(EventLogTest, NoFreeTextReachesTheLog) {
  const auto lines = LinesOfAlert(SystemicAlert(v1::TRANSITION_FIRED, 3));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0].text, Not(HasSubstr("free text")));
  EXPECT_THAT(lines[0].text, Not(HasSubstr("person wrote")));
  EXPECT_THAT(lines[0].text, HasSubstr("0.25"));
}

TEST(EventLogTest, RisingToTier3IsRoutedToo) {
  EXPECT_EQ(LinesOfAlert(SystemicAlert(v1::TRANSITION_ESCALATED, 3)).size(), 1u);
}

TEST(EventLogTest, WhatDoesNotReachTier3IsNotRouted) {
  EXPECT_THAT(LinesOfAlert(SystemicAlert(v1::TRANSITION_DEESCALATED, 2)), IsEmpty());
  EXPECT_THAT(LinesOfAlert(SystemicAlert(v1::TRANSITION_UPDATED, 3)), IsEmpty());
  EXPECT_THAT(LinesOfAlert(SystemicAlert(v1::TRANSITION_RESOLVED, 0)), IsEmpty());
  v1::Alert anomaly = SystemicAlert(v1::TRANSITION_ESCALATED, 2);
  anomaly.set_type("anomaly");
  EXPECT_THAT(LinesOfAlert(anomaly), IsEmpty());
  v1::Alert lock = SystemicAlert(v1::TRANSITION_FIRED, 3);
  lock.set_type("lock");
  EXPECT_THAT(LinesOfAlert(lock), IsEmpty());
}

TEST(EventLogTest, EveryDecisionButAllowIsTold) {
  v1::Decision decision;
  decision.set_decision_id("decision-5");
  decision.set_tenant_id("t1");
  decision.set_agent_id("a\n1");
  decision.set_verdict(v1::VERDICT_DENY);
  decision.set_action_type("what the agent calls it");
  decision.add_reasons()->set_code(v1::REASON_CODE_POLICY_VIOLATED);
  decision.mutable_reasons(0)->set_text("words");
  decision.add_reasons()->set_code(v1::REASON_CODE_LIMIT_DAILY);
  const auto lines = LinesOfDecision(decision);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].severity, LogSeverity::kInfo);
  EXPECT_THAT(lines[0].text, HasSubstr("id=decision-5"));
  EXPECT_THAT(lines[0].text, HasSubstr("agent=\"a\\n1\""));
  EXPECT_THAT(lines[0].text, HasSubstr("verdict=VERDICT_DENY"));
  EXPECT_THAT(lines[0].text, HasSubstr("reasons=REASON_CODE_POLICY_VIOLATED,REASON_CODE_LIMIT_DAILY"));
  EXPECT_THAT(lines[0].text, Not(HasSubstr("words")));
  EXPECT_THAT(lines[0].text, Not(HasSubstr("the agent calls")));
  decision.set_verdict(v1::VERDICT_LOCK);
  EXPECT_EQ(LinesOfDecision(decision).size(), 1u);
  decision.set_verdict(v1::VERDICT_ALLOW);
  EXPECT_THAT(LinesOfDecision(decision), IsEmpty());
}

TEST(EventLogTest, RowsOfOtherTablesAreNoEvents) {
  Effects effects;
  v1::Decision decision;
  decision.set_verdict(v1::VERDICT_DENY);
  effects.writes.Put(Table::kRequest, "k", decision);
  effects.writes.Delete(Table::kDecision, keys::TenantNumber("t1", 1));
  EXPECT_THAT(LinesOf(effects), IsEmpty());
}

TEST(EventLogTest, EveryStepOfARollbackIsToldWithoutWhatWasSaid) {
  Effects effects;
  v1::Rollback& rollback = effects.rollbacks.emplace_back();
  rollback.set_rollback_id("rollback-2");
  rollback.set_tenant_id("t1");
  rollback.set_agent_id("a1");
  rollback.set_checkpoint_id("checkpoint-1");
  rollback.set_version(3);
  rollback.set_state(v1::ROLLBACK_STATE_FAILED);
  rollback.set_reason("what a person wrote");
  rollback.add_steps()->set_detail("what the agent said");
  rollback.mutable_steps(0)->mutable_taken_by()->set_kind(v1::PRINCIPAL_KIND_AGENT);
  rollback.mutable_steps(0)->mutable_taken_by()->set_id("a1");
  auto lines = LinesOf(effects);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(
      lines[0].text,
      "rollback failed id=rollback-2 tenant=\"t1\" agent=\"a1\" checkpoint=checkpoint-1 version=3 by=\"agent:a1\"");
  rollback.set_state(v1::ROLLBACK_STATE_UNVERIFIABLE);
  rollback.mutable_steps(0)->clear_taken_by();
  lines = LinesOf(effects);
  EXPECT_THAT(lines[0].text, HasSubstr("rollback unverifiable"));
  EXPECT_THAT(lines[0].text, HasSubstr("by=time"));
}

TEST(EventLogTest, EveryChangeOfALockIsTold) {
  v1::Lock lock;
  lock.set_lock_id("lock-2");
  lock.set_tenant_id("t1");
  lock.mutable_scope()->set_kind(v1::SCOPE_KIND_AGENT);
  lock.mutable_scope()->set_id("a1");
  lock.set_state(v1::LOCK_STATE_TRIPPED);
  lock.set_version(1);
  lock.add_causes()->set_reason("what a person wrote");
  lock.mutable_causes(0)->mutable_engaged_by()->set_kind(v1::PRINCIPAL_KIND_HUMAN);
  lock.mutable_causes(0)->mutable_engaged_by()->set_id("alice");
  const auto text = [&lock] {
    Effects effects;
    effects.locks.push_back(lock);
    return LinesOf(effects).at(0).text;
  };
  EXPECT_EQ(text(), "lock engaged id=lock-2 tenant=\"t1\" scope=SCOPE_KIND_AGENT:\"a1\" version=1 by=\"human:alice\"");
  lock.set_version(2);
  lock.add_causes()->mutable_engaged_by()->set_kind(v1::PRINCIPAL_KIND_SERVICE);
  lock.mutable_causes(1)->mutable_engaged_by()->set_id("bot");
  EXPECT_THAT(text(), HasSubstr("lock has a further cause id=lock-2"));
  EXPECT_THAT(text(), HasSubstr("by=\"service:bot\""));
  lock.set_version(3);
  lock.set_state(v1::LOCK_STATE_CLEAR);
  lock.add_releases()->mutable_released_by()->set_kind(v1::PRINCIPAL_KIND_HUMAN);
  lock.mutable_releases(0)->mutable_released_by()->set_id("bob");
  EXPECT_THAT(text(), HasSubstr("lock released id=lock-2"));
  EXPECT_THAT(text(), HasSubstr("by=\"human:bob\""));
}

TEST(EventLogTest, EveryChangeOfAnApprovalIsToldWithoutWhatPeopleWrote) {
  Effects effects;
  v1::Approval& approval = effects.approvals.emplace_back();
  approval.set_approval_id("approval-3");
  approval.set_tenant_id("t1");
  approval.set_state(v1::APPROVAL_STATE_PENDING);
  approval.set_version(1);
  approval.mutable_action()->set_agent_id("a1");
  approval.mutable_requested_by()->set_kind(v1::PRINCIPAL_KIND_AGENT);
  approval.mutable_requested_by()->set_id("a1");
  EXPECT_EQ(LinesOf(effects).at(0).text,
            "approval pending id=approval-3 tenant=\"t1\" agent=\"a1\" version=1 requested_by=\"agent:a1\"");
  approval.set_state(v1::APPROVAL_STATE_REJECTED);
  approval.set_version(2);
  approval.add_votes()->set_comment("what a person wrote");
  approval.mutable_votes(0)->mutable_voter()->set_kind(v1::PRINCIPAL_KIND_HUMAN);
  approval.mutable_votes(0)->mutable_voter()->set_id("bob");
  EXPECT_EQ(LinesOf(effects).at(0).text,
            "approval rejected id=approval-3 tenant=\"t1\" agent=\"a1\" version=2 by=\"human:bob\"");
}

TEST(EventLogTest, ASlowReaderOfTheLogCostsLinesAndNeverWaiting) {
  std::vector<std::string> written;
  Gate reached;
  Gate go;
  EventLog log(
      [&](const LogLine& line) {
        reached.Open();
        go.Wait();
        written.push_back(line.text);
      },
      /*lines_max=*/2);
  log.Write({LogSeverity::kInfo, "first"});
  reached.Wait();
  for (const char* text : {"second", "third", "dropped", "dropped too"}) log.Write({LogSeverity::kInfo, text});
  go.Open();
  log.Stop();
  EXPECT_THAT(written,
              ElementsAre("first", HasSubstr("dropped, because they were not read fast enough: 2"), "second", "third"));
}

}  // namespace
}  // namespace interlock::server
