#include "tests/differential/make_action.h"

#include <string>

#include "google/protobuf/struct.pb.h"

namespace interlock::differential {

void FillAction(uint32_t by_hand_percent, Random& random, v1::Action& action) {
  action.set_action_type(random.Pick({"write_blog", "write_blog", "Write_Blog", "edit_page", "seo_fix", "delete_page",
                                      "enable_feature", "disable_feature", "plan_week", "get_page", "drop"}));
  if (random.Chance(15)) action.set_category(random.Pick({"content", "seo", "read", "content_modification", "none"}));
  action.set_target_resource(random.Pick({"", "", "r1", "r2"}));
  if (random.Chance(85)) action.set_risk_score(random.Pick({0.0, 0.1, 0.1, 0.2, 0.3, 0.3, 0.5, 0.6}));
  if (random.Chance(85)) action.set_impact_score(random.Pick({0.0, 0.1, 0.1, 0.3, 0.3, 0.59, 0.6}));
  if (random.Chance(5)) {
    action.set_risk_score(random.Pick({0.6, 0.8, 0.94, 1.0}));
    action.set_impact_score(random.Pick({0.59, 0.6, 0.8, 1.0}));
  }
  if (random.Chance(6)) action.set_recommended_tier(random.Pick({0, 1, 2, 3}));
  // Episodes get their names from one counter, with approvals, locks and points.
  if (random.Chance(4)) action.set_episode_id("episode-" + std::to_string(1 + random.Below(20)));
  if (random.Chance(by_hand_percent)) action.set_autonomous_modification(false);
  if (random.Chance(5)) action.set_autonomous_modification(true);
  if (random.Chance(30)) {
    const char* content = random.Pick({"", "news", "NEWS!", "l\xc3\xa4nger", "ok"});
    (*action.mutable_parameters()->mutable_fields())["content"].set_string_value(content);
    if (random.Chance(20)) (*action.mutable_parameters()->mutable_fields())["n"].set_number_value(1);
  }
}

}  // namespace interlock::differential
