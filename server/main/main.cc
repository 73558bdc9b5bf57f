// interlockd: serves until it is told to stop by SIGTERM or SIGINT.

#include <glog/logging.h>
#include <signal.h>

#include <iostream>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "server/base/clock.h"
#include "server/base/version.h"
#include "server/config/config.h"
#include "server/main/server.h"

namespace interlock::server {
namespace {

void WriteLog(const LogLine& line) {
  switch (line.severity) {
    case LogSeverity::kInfo:
      LOG(INFO) << line.text;
      return;
    case LogSeverity::kError:
      LOG(ERROR) << line.text;
      return;
  }
}

// Says on standard error why the server cannot run.
int Failed(const absl::Status& status) {
  std::cerr << "interlockd: " << status.message() << std::endl;
  return 1;
}

int Run() {
  const absl::StatusOr<Config> config = ConfigFromFlags();
  if (!config.ok()) return Failed(config.status());
  // Blocked before any thread starts, so that only sigwait below gets them.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  // A peer that closes its end is an error of the write, not the end of the server.
  signal(SIGPIPE, SIG_IGN);
  SystemClock clock;
  const auto server = Server::Start(*config, clock, WriteLog);
  if (!server.ok()) return Failed(server.status());
  std::cout << "interlockd listening on " << (*server)->address() << std::endl;
  int received = 0;
  sigwait(&stop_signals, &received);
  (*server)->Stop();
  return 0;
}

}  // namespace
}  // namespace interlock::server

int main(int argc, char** argv) {
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  absl::SetProgramUsageMessage(
      "Decides allow, deny or lock for the actions of autonomous agents, watches how they perform, streams alerts and "
      "runs "
      "the tasks that keep them alive. Try: grpcurl -plaintext 127.0.0.1:7420 list");
  absl::FlagsUsageConfig usage;
  // --help shows the server's own flags.
  usage.contains_help_flags = [](absl::string_view file) { return absl::EndsWith(file, "server/config/config.cc"); };
  usage.version_string = [] { return std::string("interlockd ") + interlock::server::kVersion + "\n"; };
  absl::SetFlagsUsageConfig(usage);
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  if (arguments.size() > 1) {
    std::cerr << "interlockd: what is \"" << arguments[1] << "\"? Everything is said by flags; see --help" << std::endl;
    return 1;
  }
  return interlock::server::Run();
}
