// The bounds of the engine's memory.

#include "core/engine/engine_memory.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock {
namespace {

TEST(EngineMemoryTest, TenantsAreBounded) {
  EngineMemory memory;
  for (size_t i = 0; i < kTenantsMax; ++i) ASSERT_TRUE(memory.FindOrAddTenant(std::to_string(i)).ok());
  const auto refused = memory.FindOrAddTenant("one more");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(memory.FindOrAddTenant("0").ok());
  EXPECT_EQ(memory.FindTenant("one more"), nullptr);
}

TEST(EngineMemoryTest, WallClockMovesOnlyForward) {
  EngineMemory memory;
  Effects effects;
  const v1::Principal caller;
  TenantData* tenant = *memory.FindOrAddTenant("t");
  const absl::Time start = absl::FromUnixSeconds(1000);
  EXPECT_EQ(memory.Advance(*tenant, absl::nullopt, {caller, start}, effects), start);
  EXPECT_EQ(memory.Advance(*tenant, start + absl::Hours(1), {caller, start - absl::Hours(1)}, effects), start)
      << "a request's own time is not the clock";
  EXPECT_EQ(effects.writes.writes().size(), 1u) << "the tenant's row, once";
}

TEST(EngineMemoryTest, RequestClockIsEachTenantsOwn) {
  EngineMemory memory;
  memory.options.time_source = v1::TIME_SOURCE_REQUEST;
  Effects effects;
  const v1::Principal caller;
  const absl::Time start = absl::FromUnixSeconds(1000);
  TenantData* first = *memory.FindOrAddTenant("first");
  TenantData* second = *memory.FindOrAddTenant("second");
  EXPECT_EQ(memory.Advance(*first, start, {caller, start + absl::Hours(9)}, effects), start);
  EXPECT_EQ(memory.Advance(*second, absl::nullopt, {caller, start}, effects), absl::UnixEpoch());
  EXPECT_EQ(memory.Advance(*first, start - absl::Hours(1), {caller, start}, effects), start);
  EXPECT_EQ(memory.now, start);
}

TEST(EngineMemoryTest, AlertsAreNumberedInTheOrderTheyAreAppended) {
  EngineMemory memory;
  memory.epoch = "e";
  Effects effects;
  const absl::Time time = absl::FromUnixSeconds(1);
  memory.AppendAlert({}, time, effects);
  memory.AppendAlert({}, time, effects);
  ASSERT_EQ(effects.alerts.size(), 2u);
  EXPECT_EQ(effects.alerts[1].sequence(), 2);
  EXPECT_EQ(effects.alerts[1].epoch(), "e");
  EXPECT_EQ(effects.writes.writes()[1].key, keys::Number(2));
}

}  // namespace
}  // namespace interlock
