#include "client/cli/help.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/table.h"

namespace interlock::cli {
namespace {

constexpr FlagSpec kGlobalFlags[] = {
    {.name = "address", .value = "HOST:PORT", .help = "the server; default: INTERLOCK_ADDRESS, else 127.0.0.1:7420"},
    {.name = "token", .value = "TOKEN", .help = "sent as a bearer token; default: INTERLOCK_TOKEN"},
    {.name = "as",
     .value = "KIND:ID",
     .help = "who calls, for example human:alice or agent:a1; default: the server says"},
    {.name = "timeout", .value = "TIME", .help = "how long a call may take; default: 5s"},
    {.name = "json", .value = "", .help = "protobuf JSON on stdout, one object a line"},
    {.name = "color", .value = "WHEN", .help = "auto, always or never; auto: on a terminal, unless NO_COLOR is set"},
    {.name = "help", .value = "", .help = "show help instead"},
};

constexpr char kExitCodes[] =
    "Exit codes: 0 it worked, or ALLOW; 1 an error; 2 called wrongly; 3 DENY; 4 LOCK;\n"
    "5 the server gave no answer, which is a deny; 6 an exported audit log is incomplete.\n";

std::string FlagTable(absl::Span<const FlagSpec> flags) {
  std::vector<std::pair<std::string, Cell>> facts;
  for (const FlagSpec& flag : flags) {
    facts.emplace_back(absl::StrCat("  --", flag.name, flag.value.empty() ? "" : "=", flag.value),
                       std::string(flag.help));
  }
  return RenderFacts(facts, false);
}

}  // namespace

absl::Span<const FlagSpec> GlobalFlags() { return kGlobalFlags; }

std::string UsageLine(const Command& command) {
  std::string line = absl::StrCat("interlockctl ", command.name);
  for (const PositionalSpec& word : command.positionals) {
    absl::StrAppend(&line, word.required ? " " : " [", word.name, word.required ? "" : "]");
  }
  for (const FlagSpec& flag : command.flags) {
    absl::StrAppend(&line, flag.required ? " --" : " [--", flag.name, flag.value.empty() ? "" : "=", flag.value,
                    flag.required ? "" : "]");
  }
  return line;
}

std::string ProgramHelp(absl::Span<const Command> commands) {
  std::vector<std::pair<std::string, Cell>> facts;
  for (const Command& command : commands) {
    facts.emplace_back(absl::StrCat("  ", command.name), std::string(command.summary));
  }
  facts.emplace_back("  help", "shows this, or the help on a command: interlockctl help lock");
  return absl::StrCat("interlockctl asks and steers an Interlock server.\n\n",
                      "Usage: interlockctl COMMAND [WORDS] [FLAGS]\n\nCommands:\n", RenderFacts(facts, false),
                      "\nFlags of every command:\n", FlagTable(kGlobalFlags),
                      "\n`interlockctl --version` shows the version.\n\n", kExitCodes);
}

std::string CommandHelp(absl::Span<const Command> commands, absl::string_view name) {
  std::string text;
  for (const Command& command : commands) {
    if (command.name != name && !absl::StartsWith(command.name, absl::StrCat(name, " "))) continue;
    absl::StrAppend(&text, text.empty() ? "" : "\n", UsageLine(command), "\n  ", command.summary, ".\n");
    if (!command.details.empty()) absl::StrAppend(&text, command.details, "\n");
    if (!command.flags.empty()) absl::StrAppend(&text, FlagTable(command.flags));
  }
  if (!text.empty()) absl::StrAppend(&text, "\nFlags of every command: interlockctl help\n");
  return text;
}

}  // namespace interlock::cli
