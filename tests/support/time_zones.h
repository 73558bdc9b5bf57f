// Time zones for tests; the code under test is handed them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"

namespace interlock::testing {

// The zone of this name of the IANA database, as this machine has it.
inline absl::TimeZone Zone(const std::string& name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name << ": install tzdata";
  return zone;
}

}  // namespace interlock::testing
