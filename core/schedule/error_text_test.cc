#include "core/schedule/error_text.h"

#include <algorithm>
#include <random>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "interlock/v1/task.pb.h"

namespace interlock::schedule {
namespace {

TEST(CleanTextTest, ValidTextThatFitsIsKept) {
  const std::string text = "a\u00e9\u20ac\U0001F600";  // 1, 2, 3 and 4 bytes.
  EXPECT_EQ(CleanText(text, text.size()), text);
  EXPECT_EQ(CleanText("", 10), "");
}

TEST(CleanTextTest, TextIsCutAfterTheLastWholeCharacter) {
  EXPECT_EQ(CleanText("abc", 2), "ab");
  EXPECT_EQ(CleanText("a\u20ac", 4), "a\u20ac");
  EXPECT_EQ(CleanText("a\u20ac", 3), "a");
  EXPECT_EQ(CleanText("\U0001F600", 3), "");
  EXPECT_EQ(CleanText("abc", 0), "");
}

TEST(CleanTextTest, BytesThatAreNoUtf8AreReplacedOneByOne) {
  EXPECT_EQ(CleanText("a\x80z", 10), "a?z");                  // A continuation without a beginning.
  EXPECT_EQ(CleanText("a\xC3", 10), "a?");                    // A beginning without an end.
  EXPECT_EQ(CleanText("\xE2\x82z", 10), "??z");               // Cut off in the middle.
  EXPECT_EQ(CleanText("\xC0\xAF", 10), "??");                 // Overlong, 2 bytes.
  EXPECT_EQ(CleanText("\xE0\x9F\xBF", 10), "???");            // Overlong, 3 bytes.
  EXPECT_EQ(CleanText("\xF0\x8F\xBF\xBF", 10), "????");       // Overlong, 4 bytes.
  EXPECT_EQ(CleanText("\xED\xA0\x80", 10), "???");            // A surrogate.
  EXPECT_EQ(CleanText("\xF4\x90\x80\x80", 10), "????");       // Beyond U+10FFFF.
  EXPECT_EQ(CleanText("\xF5\x80\x80\x80\xFF", 10), "?????");  // No beginning at all.
}

TEST(CleanTextTest, TheFirstAndLastCharacterOfEachLengthAreValid) {
  for (const absl::string_view text : {"\x01", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                                       "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(CleanText(text, 4), text);
  }
}

TEST(CleanTextTest, AnyBytesBecomeAStringThatCanBeStoredAndReadAgain) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) {
      // Mostly the bytes that begin and continue characters, so that whole ones occur.
      byte = static_cast<char>(random() % 2 == 0 ? 0x80 + random() % 0x80 : random() % 0x100);
    }
    const size_t bytes_max = random() % 40;
    v1::Attempt attempt;
    attempt.set_error_message(CleanText(bytes, bytes_max));
    ASSERT_LE(attempt.error_message().size(), bytes_max);
    ASSERT_GE(attempt.error_message().size() + 3, std::min(bytes.size(), bytes_max));
    v1::Attempt read;
    ASSERT_TRUE(read.ParseFromString(attempt.SerializeAsString()));
  }
}

}  // namespace
}  // namespace interlock::schedule
