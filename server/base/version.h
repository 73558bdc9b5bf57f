// The server's version, as GetServerInfo answers it.
#pragma once

namespace interlock::server {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace interlock::server
