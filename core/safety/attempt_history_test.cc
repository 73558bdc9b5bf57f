#include "core/safety/attempt_history.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

constexpr absl::Duration kHour = absl::Hours(1);
constexpr absl::Duration kDay = absl::Hours(24);
constexpr int64_t kAny = 1000;

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1700000000 + seconds); }

v1::Decision MakeDecision(absl::Time time, absl::string_view category, absl::string_view action_type,
                          absl::string_view agent_id, absl::string_view digest) {
  v1::Decision decision;
  *decision.mutable_decide_time() = ToProto(time);
  decision.set_category(std::string(category));
  decision.set_action_type(std::string(action_type));
  decision.set_agent_id(std::string(agent_id));
  decision.set_action_digest(std::string(digest));
  decision.add_reasons()->set_code(v1::REASON_CODE_ALLOWED);
  return decision;
}

v1::Decision Call(absl::Time time, absl::string_view digest) { return MakeDecision(time, "c", "x", "a", digest); }

TEST(AttemptHistoryTest, OnlyADecisionBlockedByALockAtOnceIsNoAttempt) {
  v1::Decision decision = Call(At(0), "d");
  EXPECT_TRUE(AttemptOf(decision).has_value());
  decision.mutable_reasons(0)->set_code(v1::REASON_CODE_LOCK_ACTIVE);
  EXPECT_TRUE(AttemptOf(decision).has_value());
  decision.mutable_reasons(0)->set_code(v1::REASON_CODE_POLICY_VIOLATED);
  EXPECT_TRUE(AttemptOf(decision).has_value());
  decision.mutable_reasons(0)->set_code(v1::REASON_CODE_LOCK_BLOCKED);
  EXPECT_FALSE(AttemptOf(decision).has_value());
}

TEST(AttemptHistoryTest, DecisionExactly24HoursOldIsNotRecent) {
  EXPECT_TRUE(IsRecent(Call(At(1), "d"), At(1)));
  EXPECT_TRUE(IsRecent(Call(At(0) + absl::Nanoseconds(1), "d"), At(0) + kDay));
  EXPECT_FALSE(IsRecent(Call(At(0), "d"), At(0) + kDay));
}

TEST(AttemptHistoryTest, AttemptCountsUnderEachOfItsKeys) {
  AttemptHistory history;
  history.Record(AttemptOf(MakeDecision(At(0), "mail", "send", "a", "d")));
  EXPECT_EQ(history.OfCategory("mail").attempts().CountIn(kHour, At(0)), 1);
  EXPECT_EQ(history.OfActionType("send").CountIn(kHour, At(0)), 1);
  EXPECT_EQ(history.OfAgent("a").attempts().CountIn(kHour, At(0)), 1);
  EXPECT_EQ(history.OfTenant().attempts().CountIn(kHour, At(0)), 1);
  EXPECT_EQ(history.OfCategory("send").attempts().size(), 0u);
  EXPECT_EQ(history.OfActionType("mail").size(), 0u);
  EXPECT_EQ(history.OfAgent("b").attempts().size(), 0u);
}

TEST(AttemptHistoryTest, UnknownCategoryTakesNoMemory) {
  AttemptHistory history;
  v1::Decision decision = MakeDecision(At(0), "made_up", "send", "a", "d");
  decision.add_reasons()->set_code(v1::REASON_CODE_CATEGORY_UNKNOWN);
  history.Record(AttemptOf(decision));
  EXPECT_EQ(history.OfCategory("made_up").attempts().size(), 0u);
  EXPECT_EQ(history.OfActionType("send").size(), 1u);
  EXPECT_EQ(history.OfTenant().attempts().size(), 1u);
}

TEST(AttemptHistoryTest, KeysNotUsedFor24HoursAreForgotten) {
  AttemptHistory history;
  history.Record(AttemptOf(MakeDecision(At(0), "old", "old", "old", "d")));
  history.Record(AttemptOf(MakeDecision(At(1), "new", "new", "new", "d")));
  history.Record(AttemptOf(MakeDecision(At(0) + kDay, "new", "new", "new", "d")));
  EXPECT_EQ(history.OfCategory("old").attempts().size(), 0u);
  EXPECT_EQ(history.OfActionType("old").size(), 0u);
  EXPECT_EQ(history.OfAgent("old").attempts().size(), 0u);
  EXPECT_EQ(history.OfActionType("new").size(), 2u);
}

TEST(AttemptHistoryTest, SameCallsAreCountedBackToTheFirstOther) {
  AttemptHistory history;
  for (int i = 0; i < 3; ++i) history.Record(AttemptOf(Call(At(i), "x")));
  history.Record(AttemptOf(Call(At(3), "y")));
  for (int i = 4; i < 6; ++i) history.Record(AttemptOf(Call(At(i), "x")));
  EXPECT_EQ(history.CallsInARow("a", "x", kHour, At(6), kAny), 2);
  EXPECT_EQ(history.CallsInARow("a", "y", kHour, At(6), kAny), 0);
  EXPECT_EQ(history.CallsInARow("b", "x", kHour, At(6), kAny), 0);
}

TEST(AttemptHistoryTest, AnotherAgentsCallsDoNotBreakTheRow) {
  AttemptHistory history;
  history.Record(AttemptOf(Call(At(0), "x")));
  history.Record(AttemptOf(MakeDecision(At(1), "c", "x", "b", "y")));
  history.Record(AttemptOf(Call(At(2), "x")));
  EXPECT_EQ(history.CallsInARow("a", "x", kHour, At(2), kAny), 2);
}

TEST(AttemptHistoryTest, RowEndsAtAGapOfExactlyTheWindow) {
  AttemptHistory history;
  history.Record(AttemptOf(Call(At(0), "x")));
  history.Record(AttemptOf(Call(At(10), "x")));
  history.Record(AttemptOf(Call(At(19), "x")));
  EXPECT_EQ(history.CallsInARow("a", "x", absl::Seconds(10), At(28), kAny), 2);
  EXPECT_EQ(history.CallsInARow("a", "x", absl::Seconds(11), At(28), kAny), 3);
  EXPECT_EQ(history.CallsInARow("a", "x", absl::Seconds(10), At(29), kAny), 0);
}

TEST(AttemptHistoryTest, RowCountStopsWhereAsked) {
  AttemptHistory history;
  for (int i = 0; i < 10; ++i) history.Record(AttemptOf(Call(At(i), "x")));
  EXPECT_EQ(history.CallsInARow("a", "x", kHour, At(10), 4), 4);
  EXPECT_EQ(history.CallsInARow("a", "x", kHour, At(10), 11), 10);
}

TEST(AttemptHistoryTest, RowReachesNoFurtherBackThan24Hours) {
  AttemptHistory history;
  for (int i = 0; i < 4; ++i) history.Record(AttemptOf(Call(At(0) + i * absl::Hours(12), "x")));
  EXPECT_EQ(history.CallsInARow("a", "x", kDay, At(0) + absl::Hours(36), kAny), 2);
  EXPECT_EQ(history.CallsInARow("a", "x", kDay, At(0) + absl::Hours(48), kAny), 1);
}

class FullHistoryTest : public ::testing::Test {
 protected:
  FullHistoryTest() {
    for (size_t i = 0; i < kActionTypesMax; ++i) {
      history_.Record(AttemptOf(MakeDecision(At(static_cast<int64_t>(i)), "c", absl::StrCat("type", i), "a", "d")));
    }
    last_ = At(static_cast<int64_t>(kActionTypesMax) - 1);
  }

  AttemptHistory history_;
  absl::Time last_;
};

TEST_F(FullHistoryTest, HasRoomOnlyForTypesThatItHolds) {
  EXPECT_EQ(history_.ActionTypeCount(last_), kActionTypesMax);
  EXPECT_TRUE(history_.HasRoomForActionType("type0", last_));
  EXPECT_FALSE(history_.HasRoomForActionType("one_more", last_));
}

TEST_F(FullHistoryTest, TypeLastAttempted24HoursAgoMakesRoom) {
  const absl::Time expired = At(0) + kDay;
  EXPECT_FALSE(history_.HasRoomForActionType("one_more", expired - absl::Nanoseconds(1)));
  EXPECT_TRUE(history_.HasRoomForActionType("one_more", expired));
  EXPECT_EQ(history_.ActionTypeCount(expired), kActionTypesMax - 1);
}

TEST_F(FullHistoryTest, TypeThatWasRefusedTakesNoRoom) {
  v1::Decision refused = MakeDecision(last_, "c", "one_more", "a", "d");
  refused.add_reasons()->set_code(v1::REASON_CODE_ACTION_TYPES_EXHAUSTED);
  history_.Record(AttemptOf(refused));
  EXPECT_EQ(history_.ActionTypeCount(last_), kActionTypesMax);
  EXPECT_EQ(history_.OfActionType("one_more").size(), 0u);
  EXPECT_EQ(history_.OfTenant().attempts().CountIn(kDay, last_), static_cast<int64_t>(kActionTypesMax) + 1);
}

// The same questions answered by looking at every decision ever made.
class BruteForce {
 public:
  void Record(const v1::Decision& decision) { decisions_.push_back(decision); }

  template <typename Matches>
  int64_t Count(absl::Duration window, absl::Time now, const Matches& matches) const {
    return std::count_if(decisions_.begin(), decisions_.end(), [&](const v1::Decision& decision) {
      return AttemptOf(decision).has_value() && FromProto(decision.decide_time()) > now - window && matches(decision);
    });
  }

  int64_t CallsInARow(const std::string& agent_id, const std::string& digest, absl::Duration window,
                      absl::Time now) const {
    int64_t count = 0;
    absl::Time later = now;
    for (auto decision = decisions_.rbegin(); decision != decisions_.rend(); ++decision) {
      if (!AttemptOf(*decision).has_value() || decision->agent_id() != agent_id) continue;
      const absl::Time time = FromProto(decision->decide_time());
      if (decision->action_digest() != digest || time <= later - window || time <= now - kDay) break;
      later = time;
      ++count;
    }
    return count;
  }

  size_t ActionTypeCount(absl::Time now) const {
    std::set<std::string> types;
    for (const v1::Decision& decision : decisions_) {
      if (AttemptOf(decision).has_value() && IsRecent(decision, now)) types.insert(decision.action_type());
    }
    return types.size();
  }

  // As the engine loads a history after a restart.
  AttemptHistory Reload(absl::Time now) const {
    size_t first = decisions_.size();
    while (first > 0 && IsRecent(decisions_[first - 1], now)) --first;
    AttemptHistory history;
    for (size_t i = first; i < decisions_.size(); ++i) history.Record(AttemptOf(decisions_[i]));
    return history;
  }

 private:
  std::vector<v1::Decision> decisions_;
};

void ExpectAlike(const AttemptHistory& history, const BruteForce& brute_force, absl::Time now) {
  for (const absl::Duration window : {absl::Seconds(1), absl::Minutes(30), kHour, kDay}) {
    ASSERT_EQ(history.OfTenant().attempts().CountIn(window, now),
              brute_force.Count(window, now, [](const auto&) { return true; }));
    for (int key = 0; key < 3; ++key) {
      const std::string name = absl::StrCat(key);
      ASSERT_EQ(history.OfCategory(name).attempts().CountIn(window, now),
                brute_force.Count(window, now, [&](const auto& decision) { return decision.category() == name; }));
      ASSERT_EQ(history.OfActionType(name).CountIn(window, now),
                brute_force.Count(window, now, [&](const auto& decision) { return decision.action_type() == name; }));
      ASSERT_EQ(history.OfAgent(name).attempts().CountIn(window, now),
                brute_force.Count(window, now, [&](const auto& decision) { return decision.agent_id() == name; }));
      for (const char* digest : {"x", "y"}) {
        ASSERT_EQ(history.CallsInARow(name, digest, window, now, kAny),
                  brute_force.CallsInARow(name, digest, window, now));
      }
    }
  }
  ASSERT_EQ(history.ActionTypeCount(now), brute_force.ActionTypeCount(now));
}

TEST(AttemptHistoryPropertyTest, AgreesWithEveryDecisionEverMadeLiveCopiedAndReloaded) {
  std::mt19937 random(42);
  const absl::Duration steps[] = {absl::ZeroDuration(), absl::ZeroDuration(),
                                  absl::Nanoseconds(1), absl::Seconds(1),
                                  absl::Minutes(15),    kHour,
                                  absl::Hours(5),       kDay};
  for (int round = 0; round < 12; ++round) {
    AttemptHistory history;
    BruteForce brute_force;
    absl::Time now = At(0);
    for (int i = 0; i < 120; ++i) {
      now += steps[random() % 8];
      const auto pick = [&random] { return absl::StrCat(random() % 3); };
      v1::Decision decision = MakeDecision(now, pick(), pick(), pick(), random() % 4 == 0 ? "y" : "x");
      if (random() % 6 == 0) decision.mutable_reasons(0)->set_code(v1::REASON_CODE_LOCK_BLOCKED);
      history.Record(AttemptOf(decision));
      brute_force.Record(decision);
      const absl::Time asked = now + steps[random() % 8];
      ExpectAlike(history, brute_force, asked);
      if (i % 7 == 0) ExpectAlike(brute_force.Reload(now), brute_force, asked);
      if (i % 11 == 0) history = AttemptHistory(history);
      ASSERT_FALSE(HasFatalFailure()) << "round " << round << " step " << i;
    }
  }
}

}  // namespace
}  // namespace interlock::safety
