#include "client/cli/text.h"

#include <gtest/gtest.h>

namespace interlock::cli {
namespace {

TEST(TextTest, PaintAddsColoursOnlyWhereTheyAreOn) {
  EXPECT_EQ(Paint("x", Color::kRed, true), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Paint("x", Color::kRed, false), "x");
  EXPECT_EQ(Paint("x", Color::kPlain, true), "x");
}

TEST(TextTest, ControlCharactersAreShownAndNotSent) {
  EXPECT_EQ(Printable("a\nb\tc\x1b[2Jd\x7f"), "a\\nb\\tc\\x1b[2Jd\\x7f");
  EXPECT_EQ(Printable(absl::string_view("\0", 1)), "\\x00");
  // U+009B is a control sequence introducer of its own.
  EXPECT_EQ(Printable("\xc2\x9b"), "\\xc2\\x9b");
}

TEST(TextTest, Utf8StaysAndOtherBytesAreShown) {
  EXPECT_EQ(Printable("Zoë → €🙂"), "Zoë → €🙂");
  EXPECT_EQ(Printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(Printable("\xe2\x82 "), "\\xe2\\x82 ");
  EXPECT_EQ(Printable("\x80"), "\\x80");
}

TEST(TextTest, WidthCountsCodePoints) {
  EXPECT_EQ(Width(""), 0u);
  EXPECT_EQ(Width("Zoë →"), 5u);
}

TEST(TextTest, ShortenKeepsWhatFits) {
  EXPECT_EQ(Shorten("Zoë", 3), "Zoë");
  EXPECT_EQ(Shorten("Zoë →", 4), "Zoë…");
  EXPECT_EQ(Shorten("ëëë", 2), "ë…");
  EXPECT_EQ(Shorten("abc", 1), "…");
}

}  // namespace
}  // namespace interlock::cli
