#include "client/cli/table.h"

#include <gtest/gtest.h>

namespace interlock::cli {
namespace {

TEST(TableTest, ColumnsAreAlignedAndLinesEndWithoutSpaces) {
  Table table({{"agent"}, {"calls", Align::kRight}, {"note"}});
  table.AddRow({"a1", "7", "fine"});
  table.AddRow({"Zoë-the-second", "12345", ""});
  EXPECT_EQ(table.Render(false),
            "agent           calls  note\n"
            "a1                  7  fine\n"
            "Zoë-the-second  12345\n");
}

TEST(TableTest, ColoursDoNotMoveColumns) {
  Table table({{"verdict"}, {"id"}});
  table.AddRow({{"deny", Color::kYellow}, "d-1"});
  EXPECT_EQ(table.Render(true),
            "\x1b[1mverdict\x1b[0m  \x1b[1mid\x1b[0m\n"
            "\x1b[33mdeny\x1b[0m     d-1\n");
}

TEST(TableTest, LongCellsAreShortened) {
  Table table({{.title = "text", .width_max = 5}, {"n", Align::kRight}});
  table.AddRow({"123456789", "1"});
  EXPECT_EQ(table.Render(false),
            "text   n\n"
            "1234…  1\n");
}

TEST(TableTest, CellsCannotSteerTheTerminal) {
  Table table({{"text"}});
  table.AddRow({"\x1b[2J\nx"});
  EXPECT_EQ(table.Render(false), "text\n\\x1b[2J\\nx\n");
}

TEST(TableTest, TableWithoutRowsHasItsTitles) {
  Table table({{"a"}, {"b"}});
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.Render(false), "a  b\n");
}

TEST(FactsTest, ValuesAreAlignedAndEmptyOnesLeftOut) {
  EXPECT_EQ(RenderFacts({{"version", "1"}, {"epoch", ""}, {"a", {"b\n", Color::kRed}}}, false),
            "version  1\n"
            "a        b\\n\n");
}

}  // namespace
}  // namespace interlock::cli
