#include "gtest/gtest.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

TEST(GetServerInfoTest, HasNothingThatCouldBeWrong) { EXPECT_TRUE(Validate(v1::GetServerInfoRequest()).ok()); }

}  // namespace
}  // namespace interlock::server
