#include "server/secrets/cleanse.h"

#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace interlock::server {
namespace {

TEST(CleanseTest, NothingIsLeftInTheMemoryOfTheString) {
  std::string secret = "a secret that is too long to be kept inside the string object itself";
  const size_t bytes = secret.capacity();
  const char* memory = secret.data();
  Cleanse(secret);
  EXPECT_TRUE(secret.empty());
  // The string still owns this memory, so it may be looked at.
  ASSERT_EQ(secret.data(), memory);
  EXPECT_EQ(absl::string_view(memory, bytes), std::string(bytes, '\0'));
}

TEST(CleanseTest, NothingIsLeftOfALongerSecretThatWasThereBefore) {
  std::string secret = "a secret that is too long to be kept inside the string object itself";
  const size_t bytes = secret.size();
  const char* memory = secret.data();
  secret.resize(20);
  Cleanse(secret);
  ASSERT_EQ(secret.data(), memory);
  EXPECT_EQ(absl::string_view(memory, bytes), std::string(bytes, '\0'));
}

TEST(CleanseTest, AnEmptyStringStaysEmpty) {
  std::string secret;
  Cleanse(secret);
  EXPECT_TRUE(secret.empty());
}

}  // namespace
}  // namespace interlock::server
