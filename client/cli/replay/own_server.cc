#include "client/cli/replay/own_server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kStartPatience = absl::Seconds(30);
constexpr absl::Duration kStopPatience = absl::Seconds(10);
constexpr char kServingLine[] = "interlockd listening on ";
constexpr size_t kLogBytesShown = 2000;

bool IsProgram(const fs::path& path) { return fs::is_regular_file(path) && access(path.c_str(), X_OK) == 0; }

absl::StatusOr<std::string> MakeFolder() {
  const char* base = std::getenv("TMPDIR");
  std::string folder = absl::StrCat(base == nullptr || *base == '\0' ? "/tmp" : base, "/interlockctl-XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("cannot make a folder like ", folder));
  }
  return folder;
}

// The end of what the server wrote to its log.
std::string LogEnd(const std::string& folder) {
  std::ifstream file(absl::StrCat(folder, "/log"));
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  return all.size() <= kLogBytesShown ? all : all.substr(all.size() - kLogBytesShown);
}

// What the child does between fork and exec: nothing but system calls.
[[noreturn]] void Become(char* const* arguments, int output, int log) {
  // The server must not outlive a program that is killed, nor get the terminal's Ctrl-C before the program has ended
  // its work.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  setpgid(0, 0);
  dup2(output, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<OwnServer>> OwnServer::Start(const std::string& program,
                                                            const std::vector<std::string>& flags) {
  if (!IsProgram(program)) return absl::NotFoundError(absl::StrCat(program, " is no program"));
  std::unique_ptr<OwnServer> server(new OwnServer());
  INTERLOCK_ASSIGN_OR_RETURN(server->folder_, MakeFolder());
  INTERLOCK_RETURN_IF_ERROR(server->Spawn(program, flags));
  const absl::Status status = server->WaitUntilServing();
  if (!status.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(program, " did not come up: ", status.message(), "; its log ends: ", LogEnd(server->folder_)));
  }
  return server;
}

absl::Status OwnServer::Spawn(const std::string& program, const std::vector<std::string>& flags) {
  std::vector<std::string> words = {program, "--listen=127.0.0.1:0", absl::StrCat("--data_dir=", folder_, "/data")};
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  const std::string log_path = absl::StrCat(folder_, "/log");
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (log < 0 || pipe2(ends, O_CLOEXEC) != 0) return absl::FailedPreconditionError("cannot open files for the server");
  process_ = fork();
  if (process_ == 0) Become(arguments.data(), ends[1], log);
  close(ends[1]);
  close(log);
  output_ = ends[0];
  if (process_ < 0) return absl::FailedPreconditionError("cannot start a process");
  return absl::OkStatus();
}

absl::Status OwnServer::WaitUntilServing() {
  const absl::Time deadline = absl::Now() + kStartPatience;
  std::string text;
  while (text.find('\n') == std::string::npos) {
    pollfd waiting = {.fd = output_, .events = POLLIN, .revents = 0};
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      return absl::FailedPreconditionError(absl::StrCat("it was silent for ", absl::FormatDuration(kStartPatience)));
    }
    if (poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1) <= 0) continue;
    char block[512];
    const ssize_t bytes = read(output_, block, sizeof(block));
    if (bytes <= 0) return absl::FailedPreconditionError("it ended");
    text.append(block, static_cast<size_t>(bytes));
  }
  absl::string_view line = absl::string_view(text).substr(0, text.find('\n'));
  if (!absl::ConsumePrefix(&line, kServingLine)) {
    return absl::FailedPreconditionError(absl::StrCat("its first line is \"", line, "\""));
  }
  address_ = std::string(line);
  return absl::OkStatus();
}

OwnServer::~OwnServer() {
  if (process_ > 0) {
    kill(process_, SIGTERM);
    const absl::Time deadline = absl::Now() + kStopPatience;
    while (waitpid(process_, nullptr, WNOHANG) == 0) {
      if (absl::Now() > deadline) kill(process_, SIGKILL);
      absl::SleepFor(absl::Milliseconds(10));
    }
  }
  if (output_ >= 0) close(output_);
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

absl::StatusOr<std::string> FindServerProgram(const std::string& given) {
  std::vector<fs::path> places;
  if (!given.empty()) {
    places.emplace_back(given);
  } else {
    std::error_code ignored;
    const fs::path own = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    places = {own / "interlockd", own / "../../server/main/interlockd"};
    const char* path = std::getenv("PATH");
    for (absl::string_view folder : absl::StrSplit(path == nullptr ? "" : path, ':', absl::SkipEmpty())) {
      places.push_back(fs::path(std::string(folder)) / "interlockd");
    }
    places.emplace_back("bazel-bin/server/main/interlockd");
  }
  for (const fs::path& place : places) {
    if (IsProgram(place)) return fs::absolute(place).lexically_normal().string();
  }
  return absl::NotFoundError(absl::StrCat(
      "there is no interlockd at ",
      absl::StrJoin(places, ", ", [](std::string* text, const fs::path& place) { *text += place.string(); }),
      "; build it with `bazel build //server/main:interlockd`, say where it is with --interlockd, or name a running "
      "server with --address"));
}

}  // namespace interlock::cli
