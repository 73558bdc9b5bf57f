// Calls of the program from words to exit code: usage, help, colours, and what becomes of errors.
#include "client/cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "client/cli/help.h"
#include "client/cli/test_terminal.h"
#include "client/testing/details.h"
#include "client/testing/fake_server.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("NO_COLOR");
    unsetenv("INTERLOCK_ADDRESS");
    unsetenv("INTERLOCK_TOKEN");
  }

  ProgramResult Run(const std::vector<std::string>& words) { return RunAgainst(server_.address(), words); }

  // One agent in tier 3, for calls that show a colour.
  void ServeOneAgent() {
    server_.answers.list_agents = [](grpc::ServerContext&, const v1::ListAgentsRequest&,
                                     v1::ListAgentsResponse& reply) {
      v1::Agent* agent = reply.add_agents();
      agent->set_agent_id("a1");
      agent->mutable_assessment()->set_tier(3);
      return grpc::Status::OK;
    };
  }

  client::FakeServer server_;
};

TEST_F(ProgramTest, HelpListsEveryCommand) {
  const ProgramResult result = RunAgainst("", {"help"});
  EXPECT_EQ(result.exit_code, kExitOk);
  for (const Command& command : AllCommands()) EXPECT_THAT(result.out, HasSubstr(command.name)) << command.name;
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(RunAgainst("", {"--help"}).out, result.out);
}

TEST_F(ProgramTest, HelpOnEveryCommandNamesItsFlags) {
  for (const Command& command : AllCommands()) {
    const ProgramResult result = RunAgainst("", {std::string(command.name), "--help"});
    EXPECT_EQ(CommandHelp(AllCommands(), command.name).empty(), false);
    for (const FlagSpec& flag : command.flags) {
      EXPECT_THAT(CommandHelp(AllCommands(), command.name), HasSubstr("--" + std::string(flag.name)));
    }
  }
}

TEST_F(ProgramTest, NoFlagOfACommandHidesAGlobalOne) {
  for (const Command& command : AllCommands()) {
    for (const FlagSpec& flag : command.flags) {
      for (const FlagSpec& global : GlobalFlags()) EXPECT_NE(flag.name, global.name) << command.name;
    }
  }
}

TEST_F(ProgramTest, HelpOnAGroupShowsAllOfIt) {
  const ProgramResult result = RunAgainst("", {"help", "lock"});
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_THAT(result.out, HasSubstr("interlockctl lock release LOCK_ID --reason=TEXT [--version=N]\n"));
  EXPECT_THAT(result.out, HasSubstr("interlockctl lock watch"));
  EXPECT_THAT(RunAgainst("", {"help", "lock", "release"}).out, Not(HasSubstr("lock watch")));
  EXPECT_THAT(RunAgainst("", {"lock", "release", "--help"}).out, StartsWith("interlockctl lock release"));
}

TEST_F(ProgramTest, VersionIsShown) {
  EXPECT_THAT(RunAgainst("", {"--version"}).out, StartsWith("interlockctl "));
  EXPECT_EQ(RunAgainst("", {"--version"}).exit_code, kExitOk);
}

TEST_F(ProgramTest, WrongCallsExitWithTwoAndSayHowItIsDone) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> calls = {
      {{"nonsense"}, "there is no command \"nonsense\""},
      {{"lock", "nonsense"}, "there is no command \"lock nonsense\""},
      {{"help", "nonsense"}, "there is no command \"nonsense\""},
      {{"agents", "list"}, "--tenant=TENANT is missing"},
      {{"agents", "get", "--tenant=t"}, "AGENT is missing"},
      {{"status", "more"}, "\"more\" is more than the command takes"},
      {{"status", "--nonsense"}, "there is no flag --nonsense"},
      {{"status", "--color=blue"}, "--color: must be auto, always or never"},
      {{"status", "--timeout=soon"}, "--timeout: "},
      {{"status", "--timeout=0s"}, "--timeout: must be above 0"},
      {{"decisions", "--tenant=t", "--verdict=maybe"}, "--verdict: \"maybe\" is none of allow, deny, lock"},
      {{"decisions", "--tenant=t", "--limit=-1"}, "--limit: must be 0 or more"},
      {{"alerts", "list", "--min_tier=4"}, "--min_tier: must be 0..3"},
      {{"lock", "engage", "--scope=planet", "--reason=r"}, "--scope: \"planet\" is none of fleet, tenant"},
      {{"decide", "--tenant=t", "--agent=a", "--type=x", "--tier=7"}, "--tier: must be 0..3"},
      {{"decide", "--tenant=t", "--agent=a", "--type=x", "--parameters={"}, "--parameters: "},
      {{"replay", "f", "--profile=odd"}, "--profile: must be reference, tool_calling or both"},
      {{"replay", "f", "--parallel=0"}, "--parallel: must be 1..256"},
      {{"evaluate", "f"}, "--policy=P is missing"},
      {{"evaluate", "f", "--policy=lenient"}, "--policy: cannot read lenient"},
      {{"evaluate", "f", "--policy=reference", "--against=odd"},
       "give a file with a policy, reference or tool_calling"},
  };
  for (const auto& [words, message] : calls) {
    const ProgramResult result = Run(words);
    EXPECT_EQ(result.exit_code, kExitUsage) << message;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_EQ(result.out, "") << message;
  }
}

TEST_F(ProgramTest, ProgramWithoutWordsShowsHelpAsAMistake) {
  const ProgramResult result = RunAgainst("", {});
  EXPECT_EQ(result.exit_code, kExitUsage);
  EXPECT_THAT(result.err, HasSubstr("Usage: interlockctl COMMAND"));
}

TEST_F(ProgramTest, GroupAloneListsAndFlagsMayComeFirst) {
  ServeOneAgent();
  const ProgramResult result = Run({"--color", "never", "agents", "--tenant=t"});
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  EXPECT_THAT(result.out, StartsWith("agent  tier"));
}

TEST_F(ProgramTest, UnreachableServerExitsWithFiveAndSaysHowToStartOne) {
  const ProgramResult result = RunAgainst(client::UnreachableAddress(), {"status"});
  EXPECT_EQ(result.exit_code, kExitNoAnswer);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("start one with `interlockd`"));
}

TEST_F(ProgramTest, ErrorOfTheServerExitsWithOneAndSaysWhatToDo) {
  server_.answers.get_lock = [](grpc::ServerContext&, const v1::GetLockRequest&, v1::Lock& reply) {
    reply.set_version(3);
    return grpc::Status::OK;
  };
  server_.answers.release_lock = [](grpc::ServerContext&, const v1::ReleaseLockRequest& request, v1::Lock&) {
    EXPECT_EQ(request.version(), 3);
    return client::WireError(grpc::StatusCode::ABORTED, "LOCK_VERSION_MISMATCH", "it is at version 4");
  };
  const ProgramResult result = Run({"lock", "release", "lock-1", "--reason=checked"});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("LOCK_VERSION_MISMATCH: it is at version 4"));
  EXPECT_THAT(result.err, HasSubstr("interlockctl lock get"));
}

TEST_F(ProgramTest, CallerAndTokenAreSent) {
  std::string sent;
  server_.answers.get_server_info = [&](grpc::ServerContext& context, const v1::GetServerInfoRequest&,
                                        v1::ServerInfo&) {
    for (const char* name : {"authorization", "interlock-principal"}) {
      const auto value = context.client_metadata().find(name);
      if (value != context.client_metadata().end()) {
        sent += std::string(value->second.data(), value->second.size()) + ";";
      }
    }
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"status", "--json", "--as=human:alice", "--token=secret"}).exit_code, kExitOk);
  EXPECT_EQ(sent, "Bearer secret;human:alice;");
}

// Whether `words` colour their output on a terminal or elsewhere.
bool Colours(const std::string& address, bool terminal, std::vector<std::string> words) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  words.push_back("--address=" + address);
  EXPECT_EQ(RunProgram(words, {.in = in, .out = out, .err = err, .out_is_terminal = terminal}), kExitOk);
  return out.str().find('\x1b') != std::string::npos;
}

TEST_F(ProgramTest, ColoursAreForTerminalsUnlessToldOtherwise) {
  ServeOneAgent();
  const std::vector<std::string> list = {"agents", "list", "--tenant=t"};
  EXPECT_TRUE(Colours(server_.address(), true, list));
  EXPECT_FALSE(Colours(server_.address(), false, list));
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(Colours(server_.address(), true, list));
  EXPECT_TRUE(Colours(server_.address(), false, {"agents", "list", "--tenant=t", "--color=always"}));
  setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(Colours(server_.address(), true, list));
  EXPECT_FALSE(Colours(server_.address(), true, {"agents", "list", "--tenant=t", "--color=never"}));
}

TEST_F(ProgramTest, AddressComesFromTheEnvironment) {
  server_.answers.get_server_info = [](grpc::ServerContext&, const v1::GetServerInfoRequest&, v1::ServerInfo&) {
    return grpc::Status::OK;
  };
  setenv("INTERLOCK_ADDRESS", server_.address().c_str(), 1);
  EXPECT_EQ(RunAgainst("", {"status", "--json"}).exit_code, kExitOk);
}

}  // namespace
}  // namespace interlock::cli
