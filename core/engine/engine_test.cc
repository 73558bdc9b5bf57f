// What the engine does by itself: timers, retention, copies.

#include "core/engine/engine.h"

#include <gtest/gtest.h>

#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;
using testing::MakeReport;

TEST(EngineTest, TimeNeverDecreases) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  const absl::Time latest = world.now;
  world.now -= absl::Hours(1);
  EXPECT_EQ(absl::FromUnixSeconds(world.Do(MakeAction("a"))->decide_time().seconds()), latest);
  world.Restart();
  EXPECT_EQ(absl::FromUnixSeconds(world.Do(MakeAction("a"))->decide_time().seconds()), latest);
}

TEST(EngineTest, AlertLogIsCutAtItsOldEnd) {
  Engine::Options options;
  options.alert_retention = absl::Hours(1);
  EngineWorld world(options);
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  world.now += absl::Minutes(59);
  world.Tick();
  EXPECT_EQ(world.engine->oldest_alert_sequence(), 1);
  ASSERT_TRUE(world.Do(MakeReport("a", 0.95)).ok());
  world.now = world.engine->NextTimer();
  world.Tick();
  EXPECT_EQ(world.engine->oldest_alert_sequence(), 2);
  ASSERT_EQ(world.Rows<v1::Alert>(Table::kAlert).size(), 1u);
  EXPECT_EQ(world.Rows<v1::Alert>(Table::kAlert)[0].sequence(), 2);
  world.now += absl::Hours(2);
  world.Tick();
  EXPECT_TRUE(world.Rows<v1::Alert>(Table::kAlert).empty());
  world.Restart();
  EXPECT_EQ(world.engine->oldest_alert_sequence(), 3);
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  EXPECT_EQ(world.alerts.back().sequence(), 3) << "sequences go on";
}

TEST(EngineTest, CloneGoesItsOwnWay) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  const std::unique_ptr<Engine> clone = world.engine->Clone();
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  Effects effects;
  const auto decision = clone->Apply(MakeAction("a"), CommandContext{world.caller, world.now}, effects);
  EXPECT_EQ(decision->sequence(), 2);
  EXPECT_EQ(world.Do(MakeAction("a"))->sequence(), 3);
}

TEST(EngineTest, NothingIsDueInAnEmptyEngine) {
  EngineWorld world;
  EXPECT_EQ(world.engine->NextTimer(), absl::InfiniteFuture());
  Effects effects;
  world.engine->Tick(world.now, effects);
  EXPECT_TRUE(effects.writes.empty());
}

}  // namespace
}  // namespace interlock
