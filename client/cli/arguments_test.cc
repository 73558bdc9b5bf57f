#include "client/cli/arguments.h"

#include <gtest/gtest.h>

namespace interlock::cli {
namespace {

const std::vector<FlagSpec> kFlags = {
    {.name = "tenant", .value = "T", .help = "the tenant", .required = true},
    {.name = "page_size", .value = "N", .help = "a number"},
    {.name = "all", .value = "", .help = "a switch"},
};

absl::StatusOr<Arguments> Parse(const std::vector<std::string>& words) { return ParseArguments(words, kFlags); }

void ExpectUsageError(const absl::Status& status, absl::string_view message) {
  EXPECT_TRUE(IsUsageError(status)) << status;
  EXPECT_EQ(status.message(), message);
}

TEST(ArgumentsTest, FlagsAndWordsComeInAnyOrder) {
  const auto arguments = Parse({"first", "--tenant=t1", "--all", "second", "--page-size", "7"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->Get("tenant"), "t1");
  EXPECT_TRUE(arguments->Has("all"));
  EXPECT_EQ(*arguments->GetInteger("page_size", 1), 7);
  EXPECT_EQ(arguments->Word(0), "first");
  EXPECT_EQ(arguments->Word(1), "second");
  EXPECT_EQ(arguments->Word(2), "");
}

TEST(ArgumentsTest, WhatIsNotGivenHasTheOtherValue) {
  const auto arguments = Parse({});
  ASSERT_TRUE(arguments.ok());
  EXPECT_FALSE(arguments->Has("all"));
  EXPECT_EQ(arguments->Get("tenant", "none"), "none");
  EXPECT_EQ(*arguments->GetInteger("page_size", 9), 9);
  EXPECT_EQ(*arguments->GetNumber("page_size", 0.5), 0.5);
  EXPECT_EQ(*arguments->GetTimeSpan("page_size", absl::Seconds(1)), absl::Seconds(1));
}

TEST(ArgumentsTest, AfterTwoDashesEverythingIsAWord) {
  const auto arguments = Parse({"-", "--", "--tenant=t1"});
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->Word(0), "-");
  EXPECT_EQ(arguments->Word(1), "--tenant=t1");
  EXPECT_FALSE(arguments->Has("tenant"));
}

TEST(ArgumentsTest, ValueMayBeEmptyOrLookLikeAFlag) {
  EXPECT_EQ(Parse({"--tenant="})->Get("tenant", "x"), "");
  EXPECT_EQ(Parse({"--tenant", "--all"})->Get("tenant"), "--all");
}

TEST(ArgumentsTest, MistakesAreUsageErrors) {
  ExpectUsageError(Parse({"--nonsense"}).status(), "there is no flag --nonsense");
  ExpectUsageError(Parse({"--tenant"}).status(), "--tenant: needs a value (T)");
  ExpectUsageError(Parse({"--all=yes"}).status(), "--all: takes no value");
  ExpectUsageError(Parse({"--all", "--all"}).status(), "--all: is given twice");
  ExpectUsageError(Parse({"--page_size=x"})->GetInteger("page_size", 1).status(),
                   "--page_size: \"x\" is no whole number");
  ExpectUsageError(Parse({"--page_size=x"})->GetNumber("page_size", 1).status(), "--page_size: \"x\" is no number");
  EXPECT_TRUE(IsUsageError(Parse({"--page_size=x"})->GetTimeSpan("page_size", absl::ZeroDuration()).status()));
}

TEST(ArgumentsTest, OtherErrorsAreNoUsageErrors) {
  EXPECT_FALSE(IsUsageError(absl::InvalidArgumentError("from the server")));
  EXPECT_FALSE(IsUsageError(absl::OkStatus()));
}

TEST(ArgumentsTest, RequiredFlagsAndWordsMustBeThereAndNoOthers) {
  const std::vector<PositionalSpec> words = {{.name = "FILE"}, {.name = "ID", .required = false}};
  const auto check = [&](const std::vector<std::string>& given) {
    return CheckArguments(*Parse(given), kFlags, words);
  };
  EXPECT_TRUE(check({"--tenant=t", "f"}).ok());
  EXPECT_TRUE(check({"--tenant=t", "f", "i"}).ok());
  ExpectUsageError(check({"--tenant=t"}), "FILE is missing");
  ExpectUsageError(check({"f"}), "--tenant=T is missing");
  ExpectUsageError(check({"--tenant=t", "f", "i", "more"}), "\"more\" is more than the command takes");
}

}  // namespace
}  // namespace interlock::cli
