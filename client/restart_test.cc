// A server that dies and comes back, in a process of its own: gRPC connects only while some thread of the process waits
// for it, and the threads of a server in the same process would hide that.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "client/alert_subscription.h"
#include "client/client.h"
#include "client/options.h"

namespace interlock::client {
namespace {

// A connection is tried again each second. A client that leaves that to gRPC alone is back after eight.
constexpr absl::Duration kPatience = absl::Seconds(5);
// Longer than gRPC's own first tries to connect again.
constexpr absl::Duration kAbsence = absl::Milliseconds(700);

class RestartTest : public testing::Test {
 protected:
  ~RestartTest() override { Kill(); }

  // Starts the server where it was before, or on a free port, and waits until it serves.
  void Start() {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    process_ = fork();
    if (process_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      execl("client/testing/restart_server", "restart_server", address_.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    close(ends[1]);
    std::string line;
    for (char byte = 0; read(ends[0], &byte, 1) == 1 && byte != '\n';) line += byte;
    close(ends[0]);
    ASSERT_FALSE(line.empty()) << "the server did not come up";
    address_ = line;
  }

  void Kill() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  Client MakeClient() {
    ClientOptions options;
    options.address = address_;
    return Client(options);
  }

  std::string address_ = "127.0.0.1:0";
  pid_t process_ = -1;
};

TEST_F(RestartTest, CallsFindTheServerAgain) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const Client client = MakeClient();
  ASSERT_TRUE(client.GetServerInfo({}).ok());
  Kill();
  EXPECT_EQ(client.GetServerInfo({}, {.deadline = kAbsence}).status().code(), absl::StatusCode::kUnavailable);
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto info = client.GetServerInfo({}, {.deadline = kPatience});
  EXPECT_TRUE(info.ok()) << info.status();
}

TEST_F(RestartTest, SubscriptionGoesOnWhenTheServerIsBack) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const Client client = MakeClient();
  AlertSubscription subscription(client, {});
  for (int64_t sequence = 1; sequence <= 3; ++sequence) {
    const auto alert = subscription.Next(kPatience);
    ASSERT_TRUE(alert.ok()) << alert.status();
    EXPECT_EQ(alert->sequence(), sequence);
    Kill();
    EXPECT_EQ(subscription.Next(kAbsence).status().code(), absl::StatusCode::kDeadlineExceeded);
    ASSERT_NO_FATAL_FAILURE(Start());
  }
}

}  // namespace
}  // namespace interlock::client
