#include "client/cli/program.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/agents.h"
#include "client/cli/alerts.h"
#include "client/cli/approval.h"
#include "client/cli/audit.h"
#include "client/cli/checkpoint.h"
#include "client/cli/decide.h"
#include "client/cli/decisions.h"
#include "client/cli/demo/demo.h"
#include "client/cli/failure.h"
#include "client/cli/help.h"
#include "client/cli/lock.h"
#include "client/cli/policy.h"
#include "client/cli/replay/evaluate.h"
#include "client/cli/replay/policy_replay.h"
#include "client/cli/replay/replay.h"
#include "client/cli/rollback.h"
#include "client/cli/shadow.h"
#include "client/cli/status.h"
#include "client/cli/tasks.h"
#include "client/cli/version.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

// A person who waits wants to hear soon that no server is there; this many tries take about half a second.
constexpr int kTriesMax = 5;

// The command that the first words name, and how many words that took.
struct Found {
  const Command* command = nullptr;
  size_t word_count = 0;
};

Found FindCommand(const std::vector<Command>& commands, const std::vector<std::string>& words) {
  const std::string one = words.empty() ? "" : words[0];
  const bool second = words.size() > 1 && !absl::StartsWith(words[1], "--");
  // "agents" alone lists them; "policy" alone shows it.
  const std::vector<std::string> names =
      second ? std::vector<std::string>{absl::StrCat(one, " ", words[1]), one}
             : std::vector<std::string>{one, absl::StrCat(one, " list"), absl::StrCat(one, " get")};
  for (const std::string& name : names) {
    for (const Command& command : commands) {
      if (command.name == name) return {&command, second && name != one ? size_t{2} : size_t{1}};
    }
  }
  return {};
}

// The words with flags that stand before the command moved behind the others, so that
// `interlockctl --json status` works too.
std::vector<std::string> CommandFirst(const std::vector<std::string>& words) {
  size_t flag_words = 0;
  while (flag_words < words.size() && absl::StartsWith(words[flag_words], "--")) {
    const std::string name = words[flag_words].substr(2);
    const auto takes_word = [&name](const FlagSpec& flag) { return flag.name == name && !flag.value.empty(); };
    const bool two = std::any_of(GlobalFlags().begin(), GlobalFlags().end(), takes_word);
    flag_words += two ? 2 : 1;
  }
  if (flag_words >= words.size()) return words;
  std::vector<std::string> moved = words;
  std::rotate(moved.begin(), moved.begin() + static_cast<std::ptrdiff_t>(flag_words), moved.end());
  return moved;
}

absl::StatusOr<bool> UseColor(const Arguments& arguments, const Terminal& terminal) {
  const std::string when = arguments.Get("color", "auto");
  if (when == "always") return true;
  if (when == "never") return false;
  if (when != "auto") return Arguments::InvalidFlag("color", "must be auto, always or never");
  const char* no_color = std::getenv("NO_COLOR");
  return terminal.out_is_terminal && (no_color == nullptr || *no_color == '\0');
}

absl::StatusOr<client::ClientOptions> MakeClientOptions(const Arguments& arguments) {
  client::ClientOptions options = client::OptionsFromEnvironment();
  options.address = arguments.Get("address", options.address);
  options.token = arguments.Get("token", options.token);
  options.principal = arguments.Get("as");
  INTERLOCK_ASSIGN_OR_RETURN(options.deadline, arguments.GetTimeSpan("timeout", options.deadline));
  options.retry.tries_max = kTriesMax;
  if (options.deadline <= absl::ZeroDuration()) {
    return Arguments::InvalidFlag("timeout", "must be above 0");
  }
  return options;
}

absl::StatusOr<ExitCode> RunCommand(const Command& command, const Arguments& arguments,
                                    const client::ClientOptions& options, const Terminal& terminal) {
  INTERLOCK_RETURN_IF_ERROR(CheckArguments(arguments, command.flags, command.positionals));
  INTERLOCK_ASSIGN_OR_RETURN(const bool color, UseColor(arguments, terminal));
  const Output output{.in = terminal.in,
                      .out = terminal.out,
                      .err = terminal.err,
                      .json = arguments.Has("json"),
                      .color = color,
                      .progress = terminal.err_is_terminal};
  const client::Client client(options);
  const char* environment_address = std::getenv("INTERLOCK_ADDRESS");
  const bool address_given =
      arguments.Has("address") || (environment_address != nullptr && *environment_address != '\0');
  Context context{arguments, output, options, address_given, client};
  return command.run(context);
}

int ReportMistake(const absl::Status& status, const Command& command, const Terminal& terminal) {
  terminal.err << DescribeFailure(status, "") << "usage: " << UsageLine(command) << "\nhint: interlockctl help "
               << command.name << "\n";
  return kExitUsage;
}

// Parses what follows the command's name, and runs it.
int RunWords(const std::vector<Command>& commands, const Found& found, const std::vector<std::string>& words,
             const Terminal& terminal) {
  const Command& command = *found.command;
  std::vector<FlagSpec> flags(GlobalFlags().begin(), GlobalFlags().end());
  flags.insert(flags.end(), command.flags.begin(), command.flags.end());
  const std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(found.word_count), words.end());
  const absl::StatusOr<Arguments> arguments = ParseArguments(rest, flags);
  if (!arguments.ok()) return ReportMistake(arguments.status(), command, terminal);
  if (arguments->Has("help")) {
    terminal.out << CommandHelp(commands, command.name);
    return kExitOk;
  }
  const absl::StatusOr<client::ClientOptions> options = MakeClientOptions(*arguments);
  if (!options.ok()) return ReportMistake(options.status(), command, terminal);
  const absl::StatusOr<ExitCode> result = RunCommand(command, *arguments, *options, terminal);
  if (result.ok()) return *result;
  if (IsUsageError(result.status())) return ReportMistake(result.status(), command, terminal);
  terminal.err << DescribeFailure(result.status(), options->address);
  return ExitCodeOf(result.status());
}

int RunHelp(const std::vector<Command>& commands, const std::vector<std::string>& words, const Terminal& terminal) {
  // "help lock release" asks about two words; flags change nothing.
  std::string name;
  for (size_t i = 1; i < words.size(); ++i) {
    if (!absl::StartsWith(words[i], "--")) absl::StrAppend(&name, name.empty() ? "" : " ", words[i]);
  }
  if (name.empty()) {
    terminal.out << ProgramHelp(commands);
    return kExitOk;
  }
  const std::string text = CommandHelp(commands, name);
  if (text.empty()) {
    terminal.err << "error: there is no command \"" << Printable(name) << "\"\nhint: interlockctl help\n";
    return kExitUsage;
  }
  terminal.out << text;
  return kExitOk;
}

}  // namespace

std::vector<Command> AllCommands() {
  std::vector<Command> commands;
  for (const auto& make :
       {StatusCommands, AgentCommands, DecideCommands, DecisionCommands, ApprovalCommands, CheckpointCommands,
        RollbackCommands, LockCommands, PolicyCommands, ShadowCommands, PolicyReplayCommands, AlertCommands,
        TaskCommands, AuditCommands, ReplayCommands, EvaluateCommands, DemoCommands}) {
    for (Command& command : make()) commands.push_back(std::move(command));
  }
  return commands;
}

int RunProgram(const std::vector<std::string>& given, const Terminal& terminal) {
  const std::vector<std::string> words = CommandFirst(given);
  const std::vector<Command> commands = AllCommands();
  const std::string first = words.empty() ? "" : words[0];
  if (first == "--version" || first == "version") {
    terminal.out << "interlockctl " << kVersion << "\n";
    return kExitOk;
  }
  if (first == "help" || first == "--help" || first == "-h") {
    return RunHelp(commands, words, terminal);
  }
  const Found found = FindCommand(commands, words);
  if (found.command != nullptr) return RunWords(commands, found, words, terminal);
  if (words.empty()) {
    terminal.err << ProgramHelp(commands);
    return kExitUsage;
  }
  // "lock nonsense" shows what there is for locks.
  const std::string related = CommandHelp(commands, first);
  terminal.err << "error: there is no command \"" << Printable(first)
               << (words.size() > 1 && !related.empty() ? absl::StrCat(" ", Printable(words[1])) : "") << "\"\n"
               << (related.empty() ? "hint: interlockctl help\n" : related);
  return kExitUsage;
}

}  // namespace interlock::cli
