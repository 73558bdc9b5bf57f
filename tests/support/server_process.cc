#include "tests/support/server_process.h"

#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "core/base/check.h"
#include "gtest/gtest.h"
#include "tests/support/files.h"

namespace interlock::support {
namespace {

// Runs in the child between fork and exec, where only calls that are safe in a signal handler may be made.
[[noreturn]] void ExecuteServer(char* const* arguments, pid_t parent, int stdout_fd, int stderr_fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the line above took effect.
  if (getppid() != parent) _exit(125);
  if (dup2(stdout_fd, STDOUT_FILENO) < 0 || dup2(stderr_fd, STDERR_FILENO) < 0) _exit(126);
  execv(arguments[0], arguments);
  _exit(127);
}

// The start of the line by which a program tells where it serves.
std::string ServingLine(const std::string& program) {
  return absl::StrCat(std::filesystem::path(program).filename().string(), " listening on ");
}

std::vector<char*> AsArguments(std::vector<std::string>& strings) {
  std::vector<char*> arguments;
  for (std::string& string : strings) arguments.push_back(string.data());
  arguments.push_back(nullptr);
  return arguments;
}

// Reads one byte once there is one. Answers 1; 0 at the end of the output; -1 if nothing came by `deadline`.
int ReadByte(int fd, absl::Time deadline, char* byte) {
  while (true) {
    int timeout_ms = -1;
    if (deadline != absl::InfiniteFuture()) {
      timeout_ms = static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(deadline - absl::Now())));
    }
    pollfd waiting{fd, POLLIN, 0};
    const int ready = poll(&waiting, 1, timeout_ms);
    if (ready == 0) return -1;
    if (ready < 0) {
      INTERLOCK_CHECK(errno == EINTR);
      continue;
    }
    const ssize_t count = read(fd, byte, 1);
    if (count >= 0) return static_cast<int>(count);
    INTERLOCK_CHECK(errno == EINTR);
  }
}

}  // namespace

std::string RunfilePath(absl::string_view path) {
  const char* directory = std::getenv("TEST_SRCDIR");
  const char* workspace = std::getenv("TEST_WORKSPACE");
  if (directory == nullptr || workspace == nullptr) return std::string(path);
  return absl::StrCat(directory, "/", workspace, "/", path);
}

ServerProcess::ServerProcess(Options options) : options_(std::move(options)) {
  const std::string base = absl::StrCat(testing::TempDir(), "/", options_.name);
  data_dir_ = absl::StrCat(base, ".data");
  log_path_ = absl::StrCat(base, ".log");
  std::filesystem::remove_all(data_dir_);
  std::filesystem::remove(log_path_);
  Restart();
}

ServerProcess::~ServerProcess() {
  if (pid_ != 0) Kill9();
}

std::shared_ptr<grpc::Channel> ServerProcess::NewChannel() const {
  grpc::ChannelArguments arguments;
  // gRPC shares the connections of equal channels unless told otherwise.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments);
}

void ServerProcess::Spawn() {
  INTERLOCK_CHECK(pid_ == 0);
  std::vector<std::string> strings = {RunfilePath(options_.program), "--listen=127.0.0.1:0",
                                      absl::StrCat("--data_dir=", data_dir_)};
  strings.insert(strings.end(), options_.flags.begin(), options_.flags.end());
  const std::vector<char*> arguments = AsArguments(strings);
  int pipe_fds[2];
  INTERLOCK_CHECK(pipe2(pipe_fds, O_CLOEXEC) == 0);
  const int log_fd = open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  INTERLOCK_CHECK(log_fd >= 0);
  const pid_t parent = getpid();
  const pid_t child = fork();
  INTERLOCK_CHECK(child >= 0);
  if (child == 0) ExecuteServer(arguments.data(), parent, pipe_fds[1], log_fd);
  close(pipe_fds[1]);
  close(log_fd);
  pid_ = child;
  stdout_fd_ = pipe_fds[0];
}

bool ServerProcess::WaitUntilServing(absl::Time deadline) {
  const std::string serving_line = ServingLine(options_.program);
  std::string line;
  while (true) {
    char byte = 0;
    const int count = ReadByte(stdout_fd_, deadline, &byte);
    if (count < 0) return false;
    if (count == 1 && byte != '\n') {
      line += byte;
      continue;
    }
    if (count == 1 && absl::StartsWith(line, serving_line)) break;
    std::fprintf(stderr, "the server did not start; it printed \"%s\" and said:\n%s\n", line.c_str(),
                 ReadLog().c_str());
    INTERLOCK_CHECK(count == 1 && absl::StartsWith(line, serving_line));
  }
  address_ = std::string(absl::StripPrefix(line, serving_line));
  return true;
}

void ServerProcess::Kill9() {
  INTERLOCK_CHECK(pid_ != 0 && kill(pid_, SIGKILL) == 0);
  const int end = Wait();
  if (end == -SIGKILL) return;
  std::fprintf(stderr, "the server had ended by itself, with %d, and said:\n%s\n", end, ReadLog().c_str());
  INTERLOCK_CHECK(end == -SIGKILL);
}

void ServerProcess::RequestTermination() { INTERLOCK_CHECK(pid_ != 0 && kill(pid_, SIGTERM) == 0); }

int ServerProcess::Wait() {
  INTERLOCK_CHECK(pid_ != 0);
  int status = 0;
  pid_t ended = 0;
  do {
    ended = waitpid(pid_, &status, 0);
  } while (ended < 0 && errno == EINTR);
  INTERLOCK_CHECK(ended == pid_);
  pid_ = 0;
  close(stdout_fd_);
  stdout_fd_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int ServerProcess::Terminate() {
  RequestTermination();
  return Wait();
}

void ServerProcess::Restart() {
  Spawn();
  WaitUntilServing(absl::InfiniteFuture());
}

bool ServerProcess::RestartWithin(absl::Duration patience) {
  Spawn();
  if (WaitUntilServing(absl::Now() + patience)) return true;
  Kill9();
  return false;
}

std::string ServerProcess::ReadLog() const { return ReadFile(log_path_); }

}  // namespace interlock::support
