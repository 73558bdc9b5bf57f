// Fail closed: every way in which a check can fail inside ends in a denial or in no answer, never in ALLOW. Each row of
// the table brings one failure into a way to a verdict that is otherwise ALLOW, and says what must come of it.
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "client/decide.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"
#include "gtest/gtest.h"
#include "server/sequencer/test_sequencer.h"
#include "server/validate/validate.h"

namespace interlock {
namespace {

// A command on its way through the sequencer, as a call of the API brings it.
template <typename Request, typename Reply>
class Call final : public server::Work {
 public:
  Call(Request request, v1::PrincipalKind kind) : request_(std::move(request)) {
    caller_.set_kind(kind);
    caller_.set_id("somebody");
  }

  size_t SizeBytes() const override { return 1; }
  void Apply(Engine& engine, absl::Time now, Effects& effects) override {
    applied_ = engine.Apply(request_, CommandContext{caller_, now}, effects);
  }
  void Release() override { reply_ = std::move(applied_); }
  void Fail(const absl::Status& status) override { reply_ = status; }

  const absl::StatusOr<Reply>& reply() const { return reply_; }

 private:
  const Request request_;
  v1::Principal caller_;
  absl::StatusOr<Reply> applied_ = absl::UnknownError("not applied");
  absl::StatusOr<Reply> reply_ = absl::DeadlineExceededError("no answer came");
};

class Ground {
 public:
  Ground() {
    world.Open();
    v1::UpdatePolicyRequest update;
    v1::PolicySet& policy = *update.mutable_policy();
    policy = *policy::FindProfile("reference");
    policy.set_tenant_id("t");
    v1::Limit& limit = *policy.add_limits();
    limit.set_limit_id("three");
    limit.set_scope(v1::SCOPE_KIND_TENANT);
    limit.set_count(v1::LIMIT_COUNT_ALLOWED);
    limit.set_max_actions(3);
    *limit.mutable_window() = ToProto(absl::Hours(1));
    EXPECT_TRUE(Update(update).ok());
    request.set_request_id("r");
    v1::Action& action = *request.mutable_action();
    action.set_tenant_id("t");
    action.set_agent_id("a");
    action.set_action_type("write_blog");
    action.set_risk_score(0.1);
    action.set_impact_score(0.1);
  }

  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Do(const Request& command, v1::PrincipalKind kind) {
    if (const absl::Status valid = server::Validate(command); !valid.ok()) return valid;
    Call<Request, Reply> call(command, kind);
    if (const absl::Status taken = world.sequencer.Submit(call); !taken.ok()) return taken;
    world.sequencer.RunBatch();
    return call.reply();
  }
  absl::StatusOr<v1::PolicySet> Update(const v1::UpdatePolicyRequest& update) {
    return Do<v1::UpdatePolicyRequest, v1::PolicySet>(update, v1::PRINCIPAL_KIND_HUMAN);
  }
  absl::StatusOr<v1::Decision> Ask() {
    return Do<v1::ArbitrateRequest, v1::Decision>(request, v1::PRINCIPAL_KIND_AGENT);
  }
  // Asks so often with a name of its own.
  void AskTimes(int times) {
    const v1::ArbitrateRequest before = request;
    for (int i = 0; i < times; ++i) {
      request.set_request_id(absl::StrCat("before", i));
      EXPECT_TRUE(Ask().ok());
    }
    request = before;
  }
  // Past what the server checks, as a fault of that check would.
  absl::StatusOr<v1::Decision> AskUnchecked() {
    Call<v1::ArbitrateRequest, v1::Decision> call(request, v1::PRINCIPAL_KIND_AGENT);
    if (const absl::Status taken = world.sequencer.Submit(call); !taken.ok()) return taken;
    world.sequencer.RunBatch();
    return call.reply();
  }
  // Loads the engine anew, from rows that somebody damaged meanwhile, and asks.
  absl::StatusOr<v1::Decision> AskAfterDamage(Table table) {
    WriteSet writes;
    EXPECT_TRUE(world.base
                    .Scan({table, "", "", false},
                          [&](absl::string_view key, absl::string_view) {
                            writes.PutBytes(table, std::string(key), "\xff\xff");
                            return true;
                          })
                    .ok());
    EXPECT_FALSE(writes.empty());
    EXPECT_TRUE(world.base.Commit(writes).ok());
    Effects effects;
    auto engine = Engine::Load(world.base, {}, world.clock.TimeNow(), effects);
    if (!engine.ok()) return engine.status();
    v1::Principal caller;
    caller.set_kind(v1::PRINCIPAL_KIND_AGENT);
    return (*engine)->Apply(request, CommandContext{caller, world.clock.TimeNow()}, effects);
  }

  server::TestSequencer world;
  v1::ArbitrateRequest request;
};

struct Row {
  std::string failure;
  // "DENY" or "LOCK", or the reason of the error that is no answer.
  std::string outcome;
  std::function<absl::StatusOr<v1::Decision>(Ground&)> ask;
};

absl::StatusOr<v1::Decision> With(Ground& ground, const std::function<void(v1::Action&)>& change) {
  change(*ground.request.mutable_action());
  return ground.AskUnchecked();
}

std::vector<Row> Policies() {
  return {
      {"a policy that is not valid is set: the one before decides", "DENY",
       [](Ground& ground) {
         v1::UpdatePolicyRequest update;
         *update.mutable_policy() = *policy::FindProfile("reference");
         update.mutable_policy()->set_tenant_id("t");
         update.mutable_policy()->clear_default_category();
         EXPECT_EQ(ErrorReason(ground.Update(update).status()), "INVALID_FIELD");
         ground.AskTimes(3);
         return ground.Ask();
       }},
      {"a tenant without a policy has the default profile, with its limits", "DENY",
       [](Ground& ground) {
         ground.request.mutable_action()->set_tenant_id("new");
         ground.request.mutable_action()->set_action_type("plan_strategy");
         return ground.Ask();
       }},
      {"the stored policy cannot be read", "ROW_DAMAGED",
       [](Ground& ground) { return ground.AskAfterDamage(Table::kPolicy); }},
      {"the policy has no category of that name", "DENY",
       [](Ground& ground) { return With(ground, [](v1::Action& action) { action.set_category("made up"); }); }},
      {"neither the action nor the policy says how risky it is", "DENY",
       [](Ground& ground) {
         v1::UpdatePolicyRequest update;
         *update.mutable_policy() = *policy::FindProfile("reference");
         update.mutable_policy()->set_tenant_id("t");
         update.mutable_policy()->clear_risk_defaults();
         EXPECT_TRUE(ground.Update(update).ok());
         return With(ground, [](v1::Action& action) { action.clear_risk_score(); });
       }},
  };
}

std::vector<Row> Numbers() {
  return {
      {"a risk that is not a number", "INVALID_FIELD",
       [](Ground& ground) {
         ground.request.mutable_action()->set_risk_score(std::numeric_limits<double>::quiet_NaN());
         return ground.Ask();
       }},
      {"the same, had nobody checked it", "LOCK",
       [](Ground& ground) {
         return With(ground,
                     [](v1::Action& action) { action.set_risk_score(std::numeric_limits<double>::quiet_NaN()); });
       }},
      {"a risk below 0, had nobody checked it", "LOCK",
       [](Ground& ground) { return With(ground, [](v1::Action& action) { action.set_risk_score(-1e308); }); }},
      {"an impact that is infinite, had nobody checked it", "LOCK",
       [](Ground& ground) {
         return With(ground,
                     [](v1::Action& action) { action.set_impact_score(-std::numeric_limits<double>::infinity()); });
       }},
      {"a tier beyond all tiers, had nobody checked it", "LOCK",
       [](Ground& ground) {
         return With(ground,
                     [](v1::Action& action) { action.set_recommended_tier(std::numeric_limits<int32_t>::min()); });
       }},
      {"more attempts than are counted", "DENY",
       [](Ground& ground) {
         v1::UpdatePolicyRequest update;
         *update.mutable_policy() = *policy::FindProfile("reference");
         update.mutable_policy()->set_tenant_id("t");
         update.mutable_policy()->clear_constraints();
         update.mutable_policy()->clear_pattern_rules();
         v1::Limit& limit = *update.mutable_policy()->add_limits();
         limit.set_limit_id("largest");
         limit.set_scope(v1::SCOPE_KIND_TENANT);
         limit.set_count(v1::LIMIT_COUNT_ATTEMPTS);
         limit.set_max_actions(kLimitMax);
         *limit.mutable_window() = ToProto(absl::Hours(24));
         EXPECT_TRUE(ground.Update(update).ok());
         ground.AskTimes(static_cast<int>(kLimitMax) + 5);
         return ground.Ask();
       }},
      {"an unknown field in the action", "INVALID_FIELD",
       [](Ground& ground) {
         v1::Action& action = *ground.request.mutable_action();
         action.GetReflection()->MutableUnknownFields(&action)->AddVarint(999, 1);
         return ground.Ask();
       }},
  };
}

std::vector<Row> TimeAndMemory() {
  return {
      {"the clock steps back two hours", "DENY",
       [](Ground& ground) {
         ground.AskTimes(3);
         ground.world.clock.Advance(-absl::Hours(2));
         return ground.Ask();
       }},
      {"the limit is reached and the server starts again", "DENY",
       [](Ground& ground) {
         ground.AskTimes(3);
         Effects effects;
         auto engine = Engine::Load(ground.world.base, {}, ground.world.clock.TimeNow(), effects);
         EXPECT_TRUE(engine.ok());
         v1::Principal caller;
         return (*engine)->Apply(ground.request, CommandContext{caller, ground.world.clock.TimeNow()}, effects);
       }},
      {"an approval that there is not", "DENY",
       [](Ground& ground) {
         ground.request.set_approval_id("approval-999");
         return With(ground, [](v1::Action& action) { action.set_action_type("plan_strategy"); });
       }},
      {"an episode that there is not", "DENY",
       [](Ground& ground) { return With(ground, [](v1::Action& action) { action.set_episode_id("episode-999"); }); }},
      {"a request id that was used for something else", "REQUEST_ID_REUSED",
       [](Ground& ground) {
         EXPECT_TRUE(ground.Ask().ok());
         ground.request.mutable_action()->set_target_resource("elsewhere");
         return ground.Ask();
       }},
  };
}

std::vector<Row> Storage() {
  return {
      {"the commit fails", "OUTCOME_UNKNOWN",
       [](Ground& ground) {
         ground.world.faults.FailNth(1);
         return ground.Ask();
       }},
      {"the commit fails although it is stored", "OUTCOME_UNKNOWN",
       [](Ground& ground) {
         ground.world.faults.FailNth(1, /*stored=*/true);
         return ground.Ask();
       }},
      {"the store cannot be opened again", "NOT_SERVING",
       [](Ground& ground) {
         ground.world.faults.FailNth(1);
         EXPECT_FALSE(ground.Ask().ok());
         ground.world.open_status = absl::UnavailableError("the disk is gone");
         return ground.Ask();
       }},
      {"the stored answer to a repeat cannot be read", "ROW_DAMAGED",
       [](Ground& ground) {
         ground.AskTimes(1);
         ground.request.set_request_id("before0");
         return ground.AskAfterDamage(Table::kDecision);
       }},
      {"a stored tenant cannot be read", "ROW_DAMAGED",
       [](Ground& ground) {
         ground.AskTimes(1);
         return ground.AskAfterDamage(Table::kTenant);
       }},
      {"a stored lock cannot be read", "ROW_DAMAGED",
       [](Ground& ground) {
         v1::EngageLockRequest engage;
         engage.mutable_scope()->set_kind(v1::SCOPE_KIND_TENANT);
         engage.mutable_scope()->set_id("t");
         engage.set_reason("stop");
         EXPECT_TRUE((ground.Do<v1::EngageLockRequest, v1::Lock>(engage, v1::PRINCIPAL_KIND_HUMAN).ok()));
         return ground.AskAfterDamage(Table::kLock);
       }},
      {"the queue is full", "QUEUE_FULL",
       [](Ground& ground) {
         server::TestWork waiting[] = {{"1", ground.world.journal, false},
                                       {"2", ground.world.journal, false},
                                       {"3", ground.world.journal, false},
                                       {"4", ground.world.journal, false}};
         for (server::TestWork& work : waiting) EXPECT_TRUE(ground.world.sequencer.Submit(work).ok());
         absl::StatusOr<v1::Decision> answer = ground.Ask();
         // Two batches take them all.
         ground.world.sequencer.RunBatch();
         ground.world.sequencer.RunBatch();
         return answer;
       }},
  };
}

std::string TextOf(const absl::StatusOr<v1::Decision>& answer) {
  if (!answer.ok()) return ErrorReason(answer.status());
  return v1::Verdict_Name(answer->verdict()).substr(std::string("VERDICT_").size());
}

TEST(FailClosedTest, WithoutAFailureTheActionIsAllowed) {
  Ground ground;
  const auto answer = ground.Ask();
  EXPECT_EQ(TextOf(answer), "ALLOW");
  EXPECT_TRUE(client::VerdictOf(answer).allowed);
}

TEST(FailClosedTest, EveryFailureEndsInDenyOrNoAnswer) {
  for (const auto& rows : {Policies(), Numbers(), TimeAndMemory(), Storage()}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.failure);
      Ground ground;
      const auto answer = row.ask(ground);
      EXPECT_EQ(TextOf(answer), row.outcome) << answer.status();
      EXPECT_FALSE(client::VerdictOf(answer).allowed);
    }
  }
}

TEST(FailClosedTest, AVerdictThatNobodyKnowsIsADenial) {
  for (const int verdict : {0, 4, -1}) {
    v1::Decision decision;
    decision.set_decision_id("decision-1");
    decision.set_sequence(1);
    decision.set_verdict(static_cast<v1::Verdict>(verdict));
    EXPECT_FALSE(client::VerdictOf(decision).allowed) << verdict;
  }
}

}  // namespace
}  // namespace interlock
