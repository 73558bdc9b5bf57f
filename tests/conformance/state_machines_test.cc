#include "tests/conformance/state_machines.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace interlock::conformance {
namespace {

TEST(StateMachinesTest, PageShowsTheTablesThatTheEngineRunsBy) {
  const std::ifstream file("docs/state_machines.md");
  ASSERT_TRUE(file.is_open());
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), StateMachinesPage())
      << "bazel run //tests/conformance:print_state_machines > docs/state_machines.md";
}

}  // namespace
}  // namespace interlock::conformance
