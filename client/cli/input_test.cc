#include "client/cli/input.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "client/cli/arguments.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::cli {
namespace {

std::string WriteFile(const std::string& text) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/input";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(InputTest, FilesAndStandardInputAreReadWhole) {
  std::istringstream in(std::string("a\0b\n", 4));
  EXPECT_EQ(*ReadInput("-", in), std::string("a\0b\n", 4));
  EXPECT_EQ(*ReadInput(WriteFile("text"), in), "text");
  EXPECT_EQ(*ReadInput(WriteFile(std::string(100000, 'x')), in), std::string(100000, 'x'));
}

TEST(InputTest, MissingFileIsNotFound) {
  std::istringstream in;
  EXPECT_TRUE(absl::IsNotFound(ReadInput("/does/not/exist", in).status()));
}

TEST(InputTest, InputWithoutEndIsRefused) {
  std::istringstream in(std::string((size_t{16} << 20) + 1, 'x'));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadInput("-", in).status()));
}

TEST(InputTest, JsonOfAFlagIsTextOrAFile) {
  std::istringstream in("{\"a\": 2}");
  google::protobuf::Struct object;
  ASSERT_TRUE(ReadJsonValue("parameters", "{\"a\": 1}", in, &object).ok());
  EXPECT_EQ(object.fields().at("a").number_value(), 1);
  ASSERT_TRUE(ReadJsonValue("parameters", "@-", in, &object).ok());
  EXPECT_EQ(object.fields().at("a").number_value(), 2);
  ASSERT_TRUE(ReadJsonValue("parameters", "@" + WriteFile("{\"a\": 3}"), in, &object).ok());
  EXPECT_EQ(object.fields().at("a").number_value(), 3);
  EXPECT_TRUE(IsUsageError(ReadJsonValue("parameters", "[", in, &object)));
  EXPECT_TRUE(absl::IsNotFound(ReadJsonValue("parameters", "@/does/not/exist", in, &object)));
}

}  // namespace
}  // namespace interlock::cli
