#include "client/environment.h"

#include <gtest/gtest.h>

#include <set>

namespace interlock::client {
namespace {

TEST(EnvironmentTest, RequestIdIsThe128RandomBitsInHexadecimal) {
  Environment environment;
  uint64_t next = 0x0123456789abcdef;
  environment.random = [&next] { return next++; };
  EXPECT_EQ(NewRequestId(environment), "0123456789abcdef0123456789abcdf0");
}

TEST(EnvironmentTest, RequestIdsOfTheMachineDiffer) {
  const Environment environment = SystemEnvironment();
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(NewRequestId(environment));
  EXPECT_EQ(ids.size(), 1000u);
}

TEST(EnvironmentTest, TheMachinesTimeMovesByWhatIsSlept) {
  const Environment environment = SystemEnvironment();
  const absl::Time before = environment.now();
  environment.sleep(absl::Milliseconds(1));
  EXPECT_GT(environment.now(), before);
}

}  // namespace
}  // namespace interlock::client
