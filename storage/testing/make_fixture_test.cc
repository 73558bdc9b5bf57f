// Runs the program: storage/testing/make_fixture.

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/files.h"

namespace interlock::storage {
namespace {

int RunMakeFixture(const std::string& arguments) {
  return std::system(absl::StrCat("storage/testing/make_fixture ", arguments, " >/dev/null 2>&1").c_str());
}

TEST(MakeFixtureTest, WritesTheFilesOfAStoreAndNoOthers) {
  const std::string dir = support::FreshDirectory("parent") + "/store";
  ASSERT_EQ(RunMakeFixture(absl::StrCat("storage/testdata/format_1.rows ", dir)), 0);
  for (const std::string& name : support::ListDirectory(dir)) {
    EXPECT_TRUE(name == "CURRENT" || name == "IDENTITY" || name == "SYNCED" || name.find("MANIFEST-") == 0 ||
                name.find(".sst") != std::string::npos || name.find(".log") != std::string::npos)
        << name;
  }
  EXPECT_GE(support::ListDirectory(dir).size(), 5u);
}

TEST(MakeFixtureTest, RefusesWhatItCannotDo) {
  const std::string dir = support::FreshDirectory("parent");
  EXPECT_NE(RunMakeFixture(""), 0);
  EXPECT_NE(RunMakeFixture(absl::StrCat("storage/testdata/format_1.rows ", dir)), 0);
  EXPECT_NE(RunMakeFixture(absl::StrCat("storage/testdata/missing.rows ", dir, "/store")), 0);
  EXPECT_TRUE(support::ListDirectory(dir).empty());
}

}  // namespace
}  // namespace interlock::storage
