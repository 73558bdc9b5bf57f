#include "client/options.h"

#include <cstdlib>

namespace interlock::client {
namespace {

void Override(const char* variable, std::string& value) {
  const char* text = std::getenv(variable);
  if (text != nullptr && *text != '\0') value = text;
}

}  // namespace

ClientOptions OptionsFromEnvironment() {
  ClientOptions options;
  Override("INTERLOCK_ADDRESS", options.address);
  Override("INTERLOCK_TOKEN", options.token);
  return options;
}

}  // namespace interlock::client
