// The version of the command line.
#pragma once

namespace interlock::cli {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace interlock::cli
