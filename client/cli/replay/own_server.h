// A server of one's own, for as long as a command takes.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace interlock::cli {

// Runs `interlockd` as a child process on a free port of the loopback, with an empty store in a temporary folder. One
// thread at a time.
class OwnServer {
 public:
  // Starts `program` and waits until it serves. `flags` are passed on.
  // Errors: NOT_FOUND (no such program), FAILED_PRECONDITION (it did not come up; the message ends with what it wrote).
  static absl::StatusOr<std::unique_ptr<OwnServer>> Start(const std::string& program,
                                                          const std::vector<std::string>& flags);
  // Ends the server and removes its folder.
  ~OwnServer();
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  // ADDRESS:PORT.
  const std::string& address() const { return address_; }

 private:
  OwnServer() = default;
  absl::Status Spawn(const std::string& program, const std::vector<std::string>& flags);
  absl::Status WaitUntilServing();

  std::string folder_;
  std::string address_;
  pid_t process_ = -1;
  // The server's standard output, read until it serves.
  int output_ = -1;
};

// Where interlockd is: `given` if it is not empty; else beside this program, where the build puts it, in PATH, or in
// bazel-bin below the current folder.
// Errors: NOT_FOUND, with the places that were looked at.
absl::StatusOr<std::string> FindServerProgram(const std::string& given);

}  // namespace interlock::cli
