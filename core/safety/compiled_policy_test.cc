#include "core/safety/compiled_policy.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void AddRule(v1::MatchKind match, const std::vector<std::string>& patterns, const std::string& category,
             v1::PolicySet& policy) {
  v1::CategoryRule& rule = *policy.add_category_rules();
  rule.set_match(match);
  for (const std::string& pattern : patterns) rule.add_patterns(pattern);
  rule.set_category(category);
}

v1::PolicySet DefaultOnly() {
  v1::PolicySet policy;
  policy.set_default_category("other");
  return policy;
}

std::vector<std::string> ConstraintIds(const CompiledPolicy& policy, absl::string_view category) {
  std::vector<std::string> ids;
  for (const v1::Constraint* constraint : policy.ConstraintsFor(category)) ids.push_back(constraint->constraint_id());
  return ids;
}

void AddConstraint(const std::string& id, const std::vector<std::string>& categories, v1::PolicySet& policy) {
  v1::Constraint& constraint = *policy.add_constraints();
  constraint.set_constraint_id(id);
  for (const std::string& category : categories) constraint.add_categories(category);
}

std::vector<std::string> Opposites(const CompiledPolicy& policy, absl::string_view action_type) {
  std::vector<std::string> types;
  for (const Opposite& opposite : policy.ConflictsOf(action_type)) types.push_back(opposite.action_type);
  return types;
}

TEST(CompiledPolicyTest, NoRuleMatchesGivesTheDefaultCategory) {
  const CompiledPolicy policy(DefaultOnly());
  EXPECT_EQ(policy.CategoryOf("anything"), "other");
}

TEST(CompiledPolicyTest, KeywordMatchesAnywhere) {
  v1::PolicySet set = DefaultOnly();
  AddRule(v1::MATCH_KIND_KEYWORD, {"blog", "post"}, "content", set);
  const CompiledPolicy policy(set);
  EXPECT_EQ(policy.CategoryOf("write_blog"), "content");
  EXPECT_EQ(policy.CategoryOf("blog"), "content");
  EXPECT_EQ(policy.CategoryOf("postgres_drop"), "content");
  EXPECT_EQ(policy.CategoryOf("golb"), "other") << "the same letters in another order";
  EXPECT_EQ(policy.CategoryOf("blo"), "other");
  EXPECT_EQ(policy.CategoryOf(""), "other");
}

TEST(CompiledPolicyTest, PrefixMatchesOnlyTheBeginning) {
  v1::PolicySet set = DefaultOnly();
  AddRule(v1::MATCH_KIND_PREFIX, {"db."}, "database", set);
  const CompiledPolicy policy(set);
  EXPECT_EQ(policy.CategoryOf("db.read"), "database");
  EXPECT_EQ(policy.CategoryOf("db."), "database");
  EXPECT_EQ(policy.CategoryOf("my_db.read"), "other");
}

TEST(CompiledPolicyTest, ExactMatchesOnlyTheWhole) {
  v1::PolicySet set = DefaultOnly();
  AddRule(v1::MATCH_KIND_EXACT, {"send_email"}, "mail", set);
  const CompiledPolicy policy(set);
  EXPECT_EQ(policy.CategoryOf("send_email"), "mail");
  EXPECT_EQ(policy.CategoryOf("send_emails"), "other");
  EXPECT_EQ(policy.CategoryOf("resend_email"), "other");
}

TEST(CompiledPolicyTest, FirstRuleThatMatchesWinsWhateverItsKind) {
  v1::PolicySet set = DefaultOnly();
  AddRule(v1::MATCH_KIND_KEYWORD, {"mail"}, "keyword", set);
  AddRule(v1::MATCH_KIND_EXACT, {"send_mail", "send_fax"}, "exact", set);
  AddRule(v1::MATCH_KIND_PREFIX, {"send"}, "prefix", set);
  AddRule(v1::MATCH_KIND_EXACT, {"send_fax"}, "late", set);
  const CompiledPolicy policy(set);
  EXPECT_EQ(policy.CategoryOf("send_mail"), "keyword");
  EXPECT_EQ(policy.CategoryOf("send_fax"), "exact");
  EXPECT_EQ(policy.CategoryOf("send_letter"), "prefix");
}

TEST(CompiledPolicyTest, PatternsAreComparedInLowerCase) {
  v1::PolicySet set = DefaultOnly();
  AddRule(v1::MATCH_KIND_KEYWORD, {"BLOG"}, "content", set);
  AddRule(v1::MATCH_KIND_EXACT, {"Deploy"}, "deploy", set);
  const CompiledPolicy policy(set);
  EXPECT_EQ(policy.CategoryOf("write_blog"), "content");
  EXPECT_EQ(policy.CategoryOf("deploy"), "deploy");
}

TEST(CompiledPolicyTest, BytesThatShareABitStillHaveToMatch) {
  v1::PolicySet set = DefaultOnly();
  AddRule(v1::MATCH_KIND_KEYWORD, {"\x80"}, "high", set);
  const CompiledPolicy policy(set);
  EXPECT_EQ(policy.CategoryOf("\xC0"), "other");
  EXPECT_EQ(policy.CategoryOf("x\x80"), "high");
}

TEST(CompiledPolicyTest, ConstraintsComeInPolicyOrder) {
  v1::PolicySet set = DefaultOnly();
  AddConstraint("second", {"b", "a"}, set);
  AddConstraint("first", {"a"}, set);
  const CompiledPolicy policy(set);
  EXPECT_THAT(ConstraintIds(policy, "a"), ElementsAre("second", "first"));
  EXPECT_THAT(ConstraintIds(policy, "b"), ElementsAre("second"));
  EXPECT_THAT(ConstraintIds(policy, "other"), IsEmpty());
  EXPECT_THAT(ConstraintIds(policy, "unheard_of"), IsEmpty());
}

TEST(CompiledPolicyTest, ConstraintThatNamesACategoryTwiceIsListedOnce) {
  v1::PolicySet set = DefaultOnly();
  AddConstraint("c", {"a", "b", "a"}, set);
  const CompiledPolicy policy(set);
  EXPECT_THAT(ConstraintIds(policy, "a"), ElementsAre("c"));
}

TEST(CompiledPolicyTest, CategoryIsKnownIfAnyPartOfThePolicyNamesIt) {
  v1::PolicySet set = DefaultOnly();
  AddRule(v1::MATCH_KIND_EXACT, {"x"}, "by_rule", set);
  AddConstraint("c", {"by_constraint"}, set);
  set.add_risk_defaults()->set_category("by_risk");
  set.add_risk_defaults();
  const CompiledPolicy policy(set);
  for (const char* category : {"other", "by_rule", "by_constraint", "by_risk"}) {
    EXPECT_TRUE(policy.HasCategory(category)) << category;
  }
  EXPECT_FALSE(policy.HasCategory("Other"));
  EXPECT_FALSE(policy.HasCategory(""));
}

TEST(CompiledPolicyTest, RiskDefaultOfTheCategoryGoesBeforeTheGeneralOne) {
  v1::PolicySet set = DefaultOnly();
  set.add_risk_defaults()->set_risk_score(0.5);
  v1::RiskDefault& own = *set.add_risk_defaults();
  own.set_category("mail");
  own.set_risk_score(0.2);
  AddConstraint("c", {"database"}, set);
  const CompiledPolicy policy(set);
  EXPECT_EQ(policy.RiskDefaultFor("mail")->risk_score(), 0.2);
  EXPECT_EQ(policy.RiskDefaultFor("database")->risk_score(), 0.5);
  EXPECT_EQ(policy.RiskDefaultFor("unheard_of")->risk_score(), 0.5);
}

TEST(CompiledPolicyTest, NoRiskDefaultIsNull) {
  v1::PolicySet set = DefaultOnly();
  set.add_risk_defaults()->set_category("mail");
  const CompiledPolicy policy(set);
  EXPECT_EQ(policy.RiskDefaultFor("other"), nullptr);
}

TEST(CompiledPolicyTest, ConflictsCountForBothSidesInPairOrder) {
  v1::PolicySet set = DefaultOnly();
  const std::vector<std::pair<const char*, const char*>> pairs = {{"a", "b"}, {"c", "a"}, {"d", "d"}};
  for (const auto& [first, second] : pairs) {
    v1::ConflictPair& pair = *set.add_conflict_pairs();
    pair.set_first(first);
    pair.set_second(second);
  }
  const CompiledPolicy policy(set);
  EXPECT_THAT(Opposites(policy, "a"), ElementsAre("b", "c"));
  EXPECT_THAT(Opposites(policy, "b"), ElementsAre("a"));
  EXPECT_THAT(Opposites(policy, "c"), ElementsAre("a"));
  EXPECT_THAT(Opposites(policy, "d"), ElementsAre("d")) << "a pair with itself counts once";
  EXPECT_THAT(Opposites(policy, "e"), IsEmpty());
}

TEST(CompiledPolicyTest, LockRuleIsFoundByCause) {
  v1::PolicySet set = DefaultOnly();
  v1::LockRule& rule = *set.add_lock_rules();
  rule.set_cause(v1::TRIP_CAUSE_ARBITRATION);
  rule.set_scope(v1::SCOPE_KIND_AGENT);
  const CompiledPolicy policy(set);
  ASSERT_NE(policy.RuleFor(v1::TRIP_CAUSE_ARBITRATION), nullptr);
  EXPECT_EQ(policy.RuleFor(v1::TRIP_CAUSE_ARBITRATION)->scope(), v1::SCOPE_KIND_AGENT);
  EXPECT_EQ(policy.RuleFor(v1::TRIP_CAUSE_LOCK_CRITERIA), nullptr);
}

}  // namespace
}  // namespace interlock::safety
