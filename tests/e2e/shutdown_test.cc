// SIGTERM under load: what was acknowledged is there after the next start, what was not is UNAVAILABLE, and the server
// ends in order.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/alert_reader.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::ActionOf;
using support::AlertReader;
using support::Api;
using support::Safety;
using ::testing::AnyOf;

// Clients that ask for decisions, one after the other, until they get no answer.
class Load {
 public:
  Load(const std::shared_ptr<grpc::Channel>& channel, const std::string& tenant_id, int client_count) {
    for (int client = 0; client < client_count; ++client) {
      threads_.emplace_back([this, channel, tenant_id, client] { RunClient(Api(channel), tenant_id, client); });
    }
  }

  void WaitForDecisions(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return decisions_.size() >= count; });
  }
  // Waits until every client got no answer. Only then may the rest be called.
  void Join() {
    for (std::thread& thread : threads_) thread.join();
  }
  // By decision_id.
  const absl::btree_map<std::string, v1::Decision>& decisions() const { return decisions_; }
  // How each client ended.
  const std::vector<grpc::Status>& ends() const { return ends_; }

 private:
  void RunClient(const Api& api, const std::string& tenant_id, int client) {
    for (int i = 0;; ++i) {
      v1::ArbitrateRequest request = ActionOf(tenant_id, absl::StrCat("agent-", client));
      request.mutable_action()->set_action_id(absl::StrCat(client, "-", i));
      const auto decision = api.Call(&Safety::Arbitrate, request);
      std::lock_guard<std::mutex> lock(mutex_);
      if (!decision.ok()) {
        ends_.push_back(decision.status);
        return;
      }
      decisions_[decision->decision_id()] = *decision;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  absl::btree_map<std::string, v1::Decision> decisions_;
  std::vector<grpc::Status> ends_;
  std::vector<std::thread> threads_;
};

absl::btree_map<std::string, v1::Decision> StoredDecisions(const Api& api, const std::string& tenant_id) {
  absl::btree_map<std::string, v1::Decision> stored;
  v1::ListDecisionsRequest request;
  request.set_tenant_id(tenant_id);
  request.set_page_size(1000);
  do {
    const auto page = api.Call(&Safety::ListDecisions, request);
    EXPECT_TRUE(page.ok()) << page.status.error_message();
    for (const v1::Decision& decision : page->decisions()) stored[decision.decision_id()] = decision;
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return stored;
}

TEST(ShutdownTest, EveryAcknowledgedDecisionIsThereAfterASigtermUnderLoad) {
  support::ServerProcess server({"under_load", {}});
  Load load(server.NewChannel(), "t", 8);
  load.WaitForDecisions(500);
  EXPECT_EQ(server.Terminate(), 0) << server.ReadLog();
  load.Join();
  for (const grpc::Status& end : load.ends()) {
    // gRPC itself resets calls that reach it while it shuts down, which callers see as CANCELLED.
    EXPECT_THAT(end.error_code(), AnyOf(grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED))
        << end.error_message();
  }

  server.Restart();
  const auto stored = StoredDecisions(Api(server.NewChannel()), "t");
  EXPECT_GE(stored.size(), load.decisions().size());
  for (const auto& [decision_id, decision] : load.decisions()) {
    const auto found = stored.find(decision_id);
    ASSERT_TRUE(found != stored.end()) << decision_id;
    EXPECT_EQ(found->second.SerializeAsString(), decision.SerializeAsString());
  }
  // A drained server answers all that it has decided.
  EXPECT_EQ(stored.size(), load.decisions().size());
}

// An open watch of the locks, past its snapshot.
class LockWatch {
 public:
  explicit LockWatch(const Api& api) {
    api.Prepare(context_);
    reader_ = api.stub<support::Locks>().WatchLocks(&context_, v1::WatchLocksRequest());
    v1::WatchLocksResponse response;
    while (!response.has_snapshot_end()) {
      if (!reader_->Read(&response)) {
        ADD_FAILURE() << "the watch ended within the snapshot";
        return;
      }
    }
  }
  grpc::Status Finish() {
    v1::WatchLocksResponse response;
    EXPECT_FALSE(reader_->Read(&response)) << response.ShortDebugString();
    return reader_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchLocksResponse>> reader_;
};

// An open ArbitrateStream that has answered one message.
class DecisionStream {
 public:
  explicit DecisionStream(const Api& api) {
    api.Prepare(context_);
    stream_ = api.stub<Safety>().ArbitrateStream(&context_);
    v1::ArbitrateStreamRequest message;
    *message.add_requests() = ActionOf("t", "a");
    v1::ArbitrateStreamResponse response;
    EXPECT_TRUE(stream_->Write(message) && stream_->Read(&response));
  }
  grpc::Status Finish() {
    v1::ArbitrateStreamResponse response;
    EXPECT_FALSE(stream_->Read(&response)) << response.ShortDebugString();
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ArbitrateStreamRequest, v1::ArbitrateStreamResponse>> stream_;
};

TEST(ShutdownTest, StreamsEndWithUnavailable) {
  support::ServerProcess server({"streams", {}});
  {
    const Api api(server.NewChannel());
    AlertReader alerts(api, support::SubscriptionOf("", 0));
    ASSERT_TRUE(alerts.opened().has_value());
    LockWatch watch(api);
    DecisionStream decisions(api);
    server.RequestTermination();
    EXPECT_EQ(alerts.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(watch.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(decisions.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
  EXPECT_EQ(server.Wait(), 0) << server.ReadLog();
}

TEST(ShutdownTest, SubscriberHasSeenEveryAlertAcknowledgedBeforeTheEndOrGetsItAfterwards) {
  support::ServerProcess server({"subscriber", {}});
  std::vector<v1::Alert> seen;
  {
    const Api api(server.NewChannel());
    AlertReader reader(api, support::SubscriptionOf("t", 0));
    ASSERT_TRUE(reader.opened().has_value());
    for (int i = 0; i < 100; ++i) {
      const double score = i % 2 == 0 ? 0.75 : 0.95;
      ASSERT_TRUE(api.Call(&support::Monitor::ReportSnapshot, support::ReportOf("t", "a", score)).ok());
    }
    server.RequestTermination();
    for (absl::optional<v1::Alert> alert = reader.Next(); alert.has_value(); alert = reader.Next()) {
      seen.push_back(*alert);
    }
    EXPECT_EQ(reader.fault(), "");
  }
  EXPECT_EQ(server.Wait(), 0) << server.ReadLog();
  server.Restart();
  const Api api(server.NewChannel());
  AlertReader reader(api, support::SubscriptionOf("t", seen.empty() ? 0 : seen.back().sequence()));
  for (v1::Alert& alert : reader.ReadUpTo(100)) seen.push_back(std::move(alert));
  ASSERT_EQ(seen.size(), 100u);
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].sequence(), static_cast<int64_t>(i) + 1);
}

TEST(ShutdownTest, SecondStartOnADirectoryInUseFailsAndTheFirstLives) {
  support::ServerProcess server({"in_use", {}});
  const std::string command = absl::StrCat(support::RunfilePath("server/main/interlockd"),
                                           " --listen=127.0.0.1:0 --data_dir=", server.data_dir(), " >/dev/null 2>&1");
  EXPECT_NE(system(command.c_str()), 0);
  EXPECT_TRUE(Api(server.NewChannel()).Call(&support::Admin::GetServerInfo, v1::GetServerInfoRequest()).ok());
}

}  // namespace
}  // namespace interlock
