#include "client/cli/replay/recording.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "client/cli/replay/test_recording.h"

namespace interlock::cli {
namespace {

struct Line {
  int64_t number;
  // The text, or the code of the error.
  std::string text;

  bool operator==(const Line& other) const { return number == other.number && text == other.text; }
};

std::vector<Line> ReadAll(const std::string& path) {
  auto recording = Recording::Open(path);
  EXPECT_TRUE(recording.ok()) << recording.status();
  std::vector<Line> lines;
  while (true) {
    auto line = (*recording)->Next();
    if (line.ok() && !line->has_value()) return lines;
    lines.push_back({(*recording)->line_number(), line.ok() ? **line : absl::StatusCodeToString(line.status().code())});
  }
}

TEST(RecordingTest, GzippedAndPlainFilesReadAlike) {
  const std::string text = "one\n\nthree\nfour";
  const std::vector<Line> expected = {{1, "one"}, {3, "three"}, {4, "four"}};
  EXPECT_EQ(ReadAll(WriteGzip("a.gz", text)), expected);
  EXPECT_EQ(ReadAll(WritePlain("a", text)), expected);
}

TEST(RecordingTest, EmptyFileHasNoLines) {
  EXPECT_TRUE(ReadAll(WriteGzip("a.gz", "")).empty());
  EXPECT_TRUE(ReadAll(WritePlain("a", "")).empty());
  EXPECT_TRUE(ReadAll(WritePlain("b", "\n\n")).empty());
}

TEST(RecordingTest, LinesLongerThanABlockAreWhole) {
  const std::string first(300'000, 'x');
  const std::string second(262'144, 'y');
  EXPECT_EQ(ReadAll(WriteGzip("a.gz", first + "\n" + second + "\nend\n")),
            (std::vector<Line>{{1, first}, {2, second}, {3, "end"}}));
}

TEST(RecordingTest, LineThatIsTooLongIsPassedOver) {
  const std::string text = "one\n" + std::string((size_t{16} << 20) + 1, 'x') + "\nthree\n";
  EXPECT_EQ(ReadAll(WriteGzip("a.gz", text)), (std::vector<Line>{{1, "one"}, {2, "INVALID_ARGUMENT"}, {3, "three"}}));
}

TEST(RecordingTest, FileThatBreaksOffEndsWithAnError) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text += std::to_string(i * 7919) + "\n";
  std::ifstream whole(WriteGzip("a.gz", text), std::ios::binary);
  std::stringstream bytes;
  bytes << whole.rdbuf();
  const std::string cut = bytes.str().substr(0, bytes.str().size() / 2);
  const std::vector<Line> lines = ReadAll(WritePlain("cut.gz", cut));
  ASSERT_GT(lines.size(), 1u);
  EXPECT_EQ(lines[0], (Line{1, "0"}));
  EXPECT_EQ(lines.back().text, "DATA_LOSS");
}

TEST(RecordingTest, ProgressGoesToOne) {
  auto recording = Recording::Open(WriteGzip("a.gz", "one\ntwo\n"));
  ASSERT_TRUE(recording.ok());
  while ((*recording)->Next()->has_value()) {
  }
  EXPECT_EQ((*recording)->progress(), 1);
}

TEST(RecordingTest, WhatIsNoFileIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(Recording::Open("/does/not/exist").status()));
  EXPECT_TRUE(absl::IsNotFound(Recording::Open(TestPath("")).status()));
}

}  // namespace
}  // namespace interlock::cli
