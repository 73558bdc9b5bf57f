#include "server/secrets/cleanse.h"

#include <cstring>

#include "gtest/gtest.h"

namespace interlock::server {
namespace {

TEST(CleanseTest, NothingIsLeftInTheMemoryOfTheString) {
  std::string secret = "a secret that is too long to be kept inside the string object itself";
  const size_t bytes = secret.capacity();
  const char* memory = secret.data();
  Cleanse(secret);
  EXPECT_TRUE(secret.empty());
  // The string still owns its memory.
  ASSERT_EQ(secret.data(), memory);
  secret.resize(bytes);
  EXPECT_EQ(secret, std::string(bytes, '\0'));
}

TEST(CleanseTest, AnEmptyStringStaysEmpty) {
  std::string secret;
  Cleanse(secret);
  EXPECT_TRUE(secret.empty());
}

}  // namespace
}  // namespace interlock::server
