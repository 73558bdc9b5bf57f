// Wipes secrets from memory.
#pragma once

#include <string>

namespace interlock::server {

// Overwrites `secret`, in a way that compilers do not remove, and empties it.
void Cleanse(std::string& secret);

}  // namespace interlock::server
