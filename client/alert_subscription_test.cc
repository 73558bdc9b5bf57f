// A subscription over streams that break: what it asks for next and how it ends.
#include "client/alert_subscription.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "client/error.h"
#include "client/options.h"
#include "client/testing/details.h"
#include "client/testing/fake_server.h"

namespace interlock::client {
namespace {

using Writer = grpc::ServerWriter<v1::SubscribeAlertsResponse>;

constexpr char kEpoch[] = "epoch-1";
// Long enough for any machine; a test that works never waits for it.
constexpr absl::Duration kPatience = absl::Seconds(20);

void SendOpened(Writer& writer, int64_t after) {
  v1::SubscribeAlertsResponse message;
  message.mutable_opened()->set_epoch(kEpoch);
  message.mutable_opened()->set_after_sequence(after);
  writer.Write(message);
}

// One batch with the sequences from `first` to `last`.
void SendBatch(Writer& writer, int64_t previous, int64_t first, int64_t last) {
  v1::SubscribeAlertsResponse message;
  message.mutable_batch()->set_previous_sequence(previous);
  for (int64_t sequence = first; sequence <= last; ++sequence) {
    v1::Alert* alert = message.mutable_batch()->add_alerts();
    alert->set_sequence(sequence);
    alert->set_epoch(kEpoch);
  }
  writer.Write(message);
}

void SendBookmark(Writer& writer, int64_t sequence) {
  v1::SubscribeAlertsResponse message;
  message.mutable_bookmark()->set_sequence(sequence);
  writer.Write(message);
}

grpc::Status WaitForCancel(grpc::ServerContext& context) {
  while (!context.IsCancelled()) std::this_thread::yield();
  return grpc::Status::CANCELLED;
}

class AlertSubscriptionTest : public testing::Test {
 protected:
  // Stream `n` (0, 1, ...) is answered by streams[n], each later one by the last.
  using Stream = std::function<grpc::Status(grpc::ServerContext&, const v1::SubscribeAlertsRequest&, Writer&)>;
  void Serve(std::vector<Stream> streams) {
    server_.answers.subscribe_alerts = [this, streams](grpc::ServerContext& context,
                                                       const v1::SubscribeAlertsRequest& request, Writer& writer) {
      requests_.push_back(request);
      return streams[std::min(requests_.size(), streams.size()) - 1](context, request, writer);
    };
  }

  Client MakeClient() {
    ClientOptions options;
    options.address = server_.address();
    // Each wait is next to nothing.
    options.retry = {.backoff_initial = absl::Microseconds(1), .backoff_max = absl::Microseconds(1)};
    return Client(options);
  }

  void ExpectNext(AlertSubscription& subscription, int64_t sequence) {
    const auto alert = subscription.Next(kPatience);
    ASSERT_TRUE(alert.ok()) << alert.status();
    EXPECT_EQ(alert->sequence(), sequence);
    EXPECT_EQ(subscription.position().sequence, sequence);
    EXPECT_EQ(subscription.position().epoch, kEpoch);
  }

  FakeServer server_;
  std::vector<v1::SubscribeAlertsRequest> requests_;
};

TEST_F(AlertSubscriptionTest, AlertsOfABatchComeOneByOneAndThePositionFollows) {
  Serve({[](grpc::ServerContext& context, const auto&, Writer& writer) {
    SendOpened(writer, 4);
    SendBatch(writer, 4, 5, 7);
    return WaitForCancel(context);
  }});
  const Client client = MakeClient();
  AlertSubscription subscription(client, {});
  ExpectNext(subscription, 5);
  ExpectNext(subscription, 6);
  ExpectNext(subscription, 7);
}

TEST_F(AlertSubscriptionTest, StreamsThatBreakAreResumedAfterTheLastAlertInTheSameEpoch) {
  Serve({[](grpc::ServerContext&, const auto&, Writer& writer) {
           SendOpened(writer, 4);
           SendBatch(writer, 4, 5, 6);
           return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
         },
         [](grpc::ServerContext&, const auto&, Writer&) {
           return grpc::Status(grpc::StatusCode::UNAVAILABLE, "still starting");
         },
         [](grpc::ServerContext&, const auto& request, Writer& writer) {
           SendOpened(writer, request.after_sequence());
           SendBookmark(writer, 9);
           return grpc::Status::OK;
         },
         [](grpc::ServerContext& context, const auto& request, Writer& writer) {
           SendOpened(writer, request.after_sequence());
           SendBatch(writer, request.after_sequence(), 10, 10);
           return WaitForCancel(context);
         }});
  const Client client = MakeClient();
  std::vector<absl::Status> interruptions;
  AlertSubscription subscription(client, {}, [&](const absl::Status& status) { interruptions.push_back(status); });
  ExpectNext(subscription, 5);
  ExpectNext(subscription, 6);
  ExpectNext(subscription, 10);
  ASSERT_EQ(requests_.size(), 4u);
  EXPECT_EQ(requests_[0].start_case(), v1::SubscribeAlertsRequest::START_NOT_SET);
  EXPECT_EQ(requests_[1].after_sequence(), 6);
  EXPECT_EQ(requests_[2].after_sequence(), 6);
  EXPECT_EQ(requests_[3].after_sequence(), 9);
  EXPECT_EQ(requests_[3].epoch(), kEpoch);
  ASSERT_EQ(interruptions.size(), 3u);
  EXPECT_EQ(interruptions[0].message(), "stopping");
  EXPECT_EQ(interruptions[2].message(), "the server ended the stream");
}

TEST_F(AlertSubscriptionTest, StreamWithoutBookmarksForThreeIntervalsIsDead) {
  Serve({[](grpc::ServerContext& context, const auto&, Writer& writer) {
           SendOpened(writer, 4);
           return WaitForCancel(context);
         },
         [](grpc::ServerContext& context, const auto& request, Writer& writer) {
           SendOpened(writer, request.after_sequence());
           SendBatch(writer, request.after_sequence(), 5, 5);
           return WaitForCancel(context);
         }});
  const Client client = MakeClient();
  v1::SubscribeAlertsRequest request;
  request.mutable_bookmark_interval()->set_nanos(10'000'000);
  absl::Status why;
  AlertSubscription subscription(client, request, [&](const absl::Status& status) { why = status; });
  ExpectNext(subscription, 5);
  EXPECT_EQ(why, absl::UnavailableError("the stream sent nothing for 30ms"));
}

TEST_F(AlertSubscriptionTest, GapEndsItWithDataLossForGood) {
  Serve({[](grpc::ServerContext& context, const auto&, Writer& writer) {
    SendOpened(writer, 4);
    SendBatch(writer, 4, 5, 5);
    SendBatch(writer, 6, 7, 7);
    return WaitForCancel(context);
  }});
  const Client client = MakeClient();
  AlertSubscription subscription(client, {});
  ExpectNext(subscription, 5);
  EXPECT_EQ(subscription.Next(kPatience).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(subscription.Next(kPatience).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(subscription.position().sequence, 5);
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(AlertSubscriptionTest, ExpiredPositionEndsItWithTheNumberLost) {
  Serve({[](grpc::ServerContext&, const auto&, Writer&) {
    return WireError(grpc::StatusCode::OUT_OF_RANGE, "SEQUENCE_EXPIRED", "cut",
                     {{"oldest_sequence", "40"}, {"lost_count", "30"}});
  }});
  const Client client = MakeClient();
  v1::SubscribeAlertsRequest request;
  request.set_after_sequence(9);
  AlertSubscription subscription(client, request);
  const absl::Status end = subscription.Next(kPatience).status();
  EXPECT_EQ(end.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(LostCount(end), 30);
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(AlertSubscriptionTest, AnotherStoreEndsItWithFailedPrecondition) {
  Serve({[](grpc::ServerContext&, const auto&, Writer&) {
    return WireError(grpc::StatusCode::FAILED_PRECONDITION, "EPOCH_MISMATCH", "another store");
  }});
  const Client client = MakeClient();
  AlertSubscription subscription(client, {});
  EXPECT_EQ(ErrorReason(subscription.Next(kPatience).status()), "EPOCH_MISMATCH");
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(AlertSubscriptionTest, WaitingInVainLeavesItAlive) {
  Serve({[](grpc::ServerContext& context, const auto&, Writer& writer) {
    SendOpened(writer, 4);
    return WaitForCancel(context);
  }});
  const Client client = MakeClient();
  AlertSubscription subscription(client, {});
  ASSERT_TRUE(subscription.WaitUntilOpen(kPatience).ok());
  EXPECT_EQ(subscription.position().sequence, 4);
  EXPECT_EQ(subscription.Next(absl::Milliseconds(1)).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(subscription.Next(absl::Milliseconds(1)).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(AlertSubscriptionTest, WaitingInVainForAServerLeavesItAlive) {
  ClientOptions options;
  options.address = UnreachableAddress();
  const Client client(options);
  AlertSubscription subscription(client, {});
  EXPECT_EQ(subscription.WaitUntilOpen(absl::Milliseconds(20)).code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(AlertSubscriptionTest, CancelFromAnotherThreadEndsAWaitOnTheStream) {
  Serve({[](grpc::ServerContext& context, const auto&, Writer& writer) {
    SendOpened(writer, 4);
    return WaitForCancel(context);
  }});
  const Client client = MakeClient();
  AlertSubscription subscription(client, {});
  ASSERT_TRUE(subscription.WaitUntilOpen(kPatience).ok());
  std::thread canceller([&] { subscription.Cancel(); });
  EXPECT_EQ(subscription.Next().status().code(), absl::StatusCode::kCancelled);
  canceller.join();
  EXPECT_EQ(subscription.Next().status().code(), absl::StatusCode::kCancelled);
}

TEST_F(AlertSubscriptionTest, CancelFromAnotherThreadEndsAWaitForTheBackoff) {
  Serve({[](grpc::ServerContext&, const auto&, Writer&) { return grpc::Status(grpc::StatusCode::UNAVAILABLE, "no"); }});
  ClientOptions options;
  options.address = server_.address();
  options.retry = {.backoff_initial = absl::Hours(1), .backoff_max = absl::Hours(1)};
  const Client client(options);
  std::thread canceller;
  AlertSubscription* borrowed = nullptr;
  AlertSubscription subscription(client, {},
                                 [&](const absl::Status&) { canceller = std::thread([&] { borrowed->Cancel(); }); });
  borrowed = &subscription;
  EXPECT_EQ(subscription.Next().status().code(), absl::StatusCode::kCancelled);
  canceller.join();
}

TEST_F(AlertSubscriptionTest, CancelFromAnotherThreadEndsAWaitForAServer) {
  ClientOptions options;
  options.address = UnreachableAddress();
  const Client client(options);
  AlertSubscription subscription(client, {});
  std::thread canceller([&] { subscription.Cancel(); });
  EXPECT_EQ(subscription.Next().status().code(), absl::StatusCode::kCancelled);
  canceller.join();
}

TEST_F(AlertSubscriptionTest, ServerThatComesBackIsFoundAgain) {
  const auto answer = [](grpc::ServerContext& context, const v1::SubscribeAlertsRequest& request, Writer& writer) {
    SendOpened(writer, request.after_sequence());
    SendBatch(writer, request.after_sequence(), request.after_sequence() + 1, request.after_sequence() + 1);
    return WaitForCancel(context);
  };
  auto server = std::make_unique<FakeServer>();
  server->answers.subscribe_alerts = answer;
  ClientOptions options;
  options.address = server->address();
  const Client client(options);
  AlertSubscription subscription(client, {});
  ExpectNext(subscription, 1);
  server.reset();
  // Nobody serves for a while.
  EXPECT_EQ(subscription.Next(absl::Milliseconds(300)).status().code(), absl::StatusCode::kDeadlineExceeded);
  server = std::make_unique<FakeServer>(options.address);
  server->answers.subscribe_alerts = answer;
  ExpectNext(subscription, 2);
}

TEST_F(AlertSubscriptionTest, RunHandsOutAlertsUntilTheCallbackHasEnough) {
  Serve({[](grpc::ServerContext& context, const auto&, Writer& writer) {
    SendOpened(writer, 0);
    SendBatch(writer, 0, 1, 5);
    return WaitForCancel(context);
  }});
  const Client client = MakeClient();
  AlertSubscription subscription(client, {});
  std::vector<int64_t> sequences;
  EXPECT_TRUE(subscription
                  .Run([&](const v1::Alert& alert) {
                    sequences.push_back(alert.sequence());
                    return sequences.size() < 3;
                  })
                  .ok());
  EXPECT_EQ(sequences, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(subscription.position().sequence, 3);
}

}  // namespace
}  // namespace interlock::client
