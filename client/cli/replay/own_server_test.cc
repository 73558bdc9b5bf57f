// Starting and ending a child process, with shell scripts in the place of the server.
#include "client/cli/replay/own_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/cli/replay/test_recording.h"

namespace interlock::cli {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

std::string WriteProgram(const std::string& name, const std::string& script) {
  const std::string path = WritePlain(name, "#!/bin/sh\n" + script);
  chmod(path.c_str(), 0700);
  return path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class OwnServerTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = TestPath("tmp");
    fs::create_directories(folder_);
    setenv("TMPDIR", folder_.c_str(), 1);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string folder_;
};

TEST_F(OwnServerTest, ServerIsStartedOnAFreePortWithAStoreOfItsOwnAndEnded) {
  const std::string trace = TestPath("trace");
  const std::string program = WriteProgram("served", "echo \"$@\" > " + trace + "\ntrap 'echo ended >> " + trace +
                                                         "; exit 0' TERM\n"
                                                         "echo interlockd listening on 127.0.0.1:12345\n"
                                                         "while :; do sleep 0.01; done\n");
  {
    const auto server = OwnServer::Start(program, {"--time_source=request"});
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_EQ((*server)->address(), "127.0.0.1:12345");
    EXPECT_THAT(ReadFile(trace), HasSubstr("--listen=127.0.0.1:0 --data_dir=" + folder_));
    EXPECT_THAT(ReadFile(trace), HasSubstr("/data --time_source=request\n"));
    EXPECT_FALSE(fs::is_empty(folder_));
  }
  EXPECT_THAT(ReadFile(trace), HasSubstr("ended\n"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(OwnServerTest, ServerThatEndsAtOnceIsAnErrorWithItsLog) {
  const std::string program = WriteProgram("ended", "echo the disk is full >&2\nexit 1\n");
  const auto server = OwnServer::Start(program, {});
  EXPECT_TRUE(absl::IsFailedPrecondition(server.status()));
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("it ended; its log ends: the disk is full"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(OwnServerTest, OtherProgramsAreNotTakenForAServer) {
  const std::string program = WriteProgram("other", "echo hello\nsleep 100\n");
  EXPECT_THAT(std::string(OwnServer::Start(program, {}).status().message()), HasSubstr("its first line is \"hello\""));
}

TEST_F(OwnServerTest, MissingProgramIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(OwnServer::Start("/does/not/exist", {}).status()));
  EXPECT_TRUE(absl::IsNotFound(FindServerProgram("/does/not/exist").status()));
  EXPECT_TRUE(absl::IsNotFound(FindServerProgram(WritePlain("text", "no program")).status()));
}

TEST_F(OwnServerTest, ProgramIsFoundInPath) {
  const std::string folder = TestPath("bin");
  fs::create_directories(folder);
  const std::string program = WriteProgram("bin/interlockd", "");
  setenv("PATH", ("/nowhere:" + folder).c_str(), 1);
  EXPECT_EQ(*FindServerProgram(""), program);
  EXPECT_EQ(*FindServerProgram(program), program);
}

}  // namespace
}  // namespace interlock::cli
