#include "client/options.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace interlock::client {
namespace {

class OptionsTest : public testing::Test {
 protected:
  void SetUp() override { TearDown(); }
  void TearDown() override {
    unsetenv("INTERLOCK_ADDRESS");
    unsetenv("INTERLOCK_TOKEN");
  }
};

TEST_F(OptionsTest, DefaultsAreTheLoopbackPortAndFiveSeconds) {
  const ClientOptions options = OptionsFromEnvironment();
  EXPECT_EQ(options.address, "127.0.0.1:7420");
  EXPECT_EQ(options.token, "");
  EXPECT_EQ(options.principal, "");
  EXPECT_EQ(options.deadline, absl::Seconds(5));
}

TEST_F(OptionsTest, EnvironmentGivesAddressAndToken) {
  setenv("INTERLOCK_ADDRESS", "interlock.example:443", 1);
  setenv("INTERLOCK_TOKEN", "secret", 1);
  const ClientOptions options = OptionsFromEnvironment();
  EXPECT_EQ(options.address, "interlock.example:443");
  EXPECT_EQ(options.token, "secret");
}

TEST_F(OptionsTest, EmptyVariableIsAsIfUnset) {
  setenv("INTERLOCK_ADDRESS", "", 1);
  EXPECT_EQ(OptionsFromEnvironment().address, "127.0.0.1:7420");
}

}  // namespace
}  // namespace interlock::client
