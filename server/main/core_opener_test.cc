#include "server/main/core_opener.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "core/base/error.h"
#include "server/base/fake_clock.h"
#include "tests/support/files.h"

namespace interlock::server {
namespace {

class CoreOpenerTest : public ::testing::Test {
 protected:
  absl::StatusOr<CoreOpener> Open() { return CoreOpener::Open(dir_, {}, clock_); }

  const std::string dir_ = support::FreshDirectory("data") + "/store";
  FakeClock clock_{absl::FromUnixSeconds(1700000000)};
};

TEST_F(CoreOpenerTest, MakesAStoreWhoseEpochIsKept) {
  std::string epoch;
  {
    auto opener = Open();
    ASSERT_TRUE(opener.ok()) << opener.status();
    const auto core = (*opener)();
    ASSERT_TRUE(core.ok()) << core.status();
    epoch = (*core)->engine->epoch();
    EXPECT_EQ(epoch.size(), 16u);
  }
  auto opener = Open();
  ASSERT_TRUE(opener.ok()) << opener.status();
  EXPECT_EQ((*(*opener)())->engine->epoch(), epoch);
}

TEST_F(CoreOpenerTest, TwoStoresHaveDifferentEpochs) {
  auto first = Open();
  auto second = CoreOpener::Open(support::FreshDirectory("other") + "/store", {}, clock_);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE((*(*first)())->engine->epoch(), (*(*second)())->engine->epoch());
}

TEST_F(CoreOpenerTest, OpensAgainWhatWasGivenUp) {
  auto opener = Open();
  ASSERT_TRUE(opener.ok());
  auto core = (*opener)();
  ASSERT_TRUE(core.ok());
  EXPECT_EQ(ErrorReason((*opener)().status()), "STORE_LOCKED");
  const std::string epoch = (*core)->engine->epoch();
  core->reset();
  core = (*opener)();
  ASSERT_TRUE(core.ok()) << core.status();
  EXPECT_EQ((*core)->engine->epoch(), epoch);
}

TEST_F(CoreOpenerTest, NeverMakesANewStoreInPlaceOfOneThatIsGone) {
  auto opener = Open();
  ASSERT_TRUE(opener.ok());
  auto core = (*opener)();
  ASSERT_TRUE(core.ok());
  core->reset();
  support::CopyDirectory(support::FreshDirectory("empty"), dir_);
  const auto again = (*opener)();
  EXPECT_EQ(again.status().code(), absl::StatusCode::kFailedPrecondition) << again.status();
}

}  // namespace
}  // namespace interlock::server
