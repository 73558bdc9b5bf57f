// Runs the real server, `interlockd`, as a child process on a free port of the loopback and on a data directory of its
// own, and starts it again on that directory as often as a test wants.
#pragma once

#include <grpcpp/channel.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace interlock::support {

// Thread-compatible. The kernel kills the server when the thread that started it ends, so that no server is left behind
// by a test that died: start it on a thread that lives as long as the server should.
class ServerProcess {
 public:
  struct Options {
    // Names the directory below TEST_TMPDIR; unique within one test binary. The directory is emptied first.
    std::string name = "server";
    // Further flags, for example "--time_source=request".
    std::vector<std::string> flags;
    // Takes --listen and --data_dir, and prints "NAME listening on ADDRESS:PORT" once it serves.
    std::string program = "server/main/interlockd";
  };

  // Starts the server and waits until it serves. A server that does not start ends the test at once, with what the
  // server said.
  explicit ServerProcess(Options options);
  // Kills it.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // ADDRESS:PORT, as the server printed it; another one after each start.
  const std::string& address() const { return address_; }
  const std::string& data_dir() const { return data_dir_; }
  pid_t pid() const { return pid_; }
  // A new connection to the running server, which shares nothing with earlier ones.
  std::shared_ptr<grpc::Channel> NewChannel() const;

  // Ends it as a crash does, by SIGKILL, and waits until it is gone. A server that had ended by itself ends the test.
  void Kill9();
  // Asks it to end, by SIGTERM. Returns at once; Wait tells how it ended.
  void RequestTermination();
  // Waits until it has ended. Answers its exit code, or minus the signal that ended it. REQUIRES: it was started.
  int Wait();
  // RequestTermination and Wait.
  int Terminate();

  // Starts it again on the same directory. REQUIRES: it has ended.
  void Restart();
  // The same, but gives up after `patience` and kills it as a crash does. Answers whether it serves.
  bool RestartWithin(absl::Duration patience);

  // All that it has written to standard error, over all its lives.
  std::string ReadLog() const;

 private:
  void Spawn();
  // Whether the line that tells the address came by `deadline`. A server that ends before ends the test.
  bool WaitUntilServing(absl::Time deadline);

  const Options options_;
  std::string data_dir_;
  std::string log_path_;
  std::string address_;
  // 0: no server runs.
  pid_t pid_ = 0;
  // The reading end of its standard output.
  int stdout_fd_ = -1;
};

// The path of a program or data file of the workspace, for example "server/main/interlockd", in a test that has it as
// data.
std::string RunfilePath(absl::string_view path);

}  // namespace interlock::support
