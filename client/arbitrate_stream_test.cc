#include "client/arbitrate_stream.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/options.h"
#include "client/testing/fake_server.h"
#include "client/testing/simulated_environment.h"

namespace interlock::client {
namespace {

using ServerStream = grpc::ServerReaderWriter<v1::ArbitrateStreamResponse, v1::ArbitrateStreamRequest>;

// Allows everything; the decision is named after the action.
v1::ArbitrateStreamResponse Answer(const v1::ArbitrateStreamRequest& message) {
  v1::ArbitrateStreamResponse response;
  for (const auto& request : message.requests()) {
    v1::Decision* decision = response.add_results()->mutable_decision();
    decision->set_decision_id(request.action().action_id());
    decision->set_verdict(v1::VERDICT_ALLOW);
  }
  return response;
}

std::vector<v1::ArbitrateRequest> MakeRequests(int count) {
  std::vector<v1::ArbitrateRequest> requests(static_cast<size_t>(count));
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].mutable_action()->set_action_id(absl::StrCat(i));
  }
  return requests;
}

class ArbitrateStreamTest : public testing::Test {
 protected:
  Client MakeClient() {
    ClientOptions options;
    options.address = server_.address();
    options.environment = simulated_.environment();
    return Client(options);
  }

  void ExpectInOrder(const absl::StatusOr<std::vector<v1::ArbitrateResult>>& results, int count) {
    ASSERT_TRUE(results.ok()) << results.status();
    ASSERT_EQ(results->size(), static_cast<size_t>(count));
    for (size_t i = 0; i < results->size(); ++i) {
      EXPECT_EQ((*results)[i].decision().decision_id(), absl::StrCat(i));
    }
  }

  SimulatedEnvironment simulated_;
  FakeServer server_;
  // How many streams the server has seen, and the requests of each message on them.
  int streams_ = 0;
  std::vector<int> message_sizes_;
  std::vector<std::string> request_ids_;

  void Note(const v1::ArbitrateStreamRequest& message) {
    message_sizes_.push_back(message.requests_size());
    for (const auto& request : message.requests()) request_ids_.push_back(request.request_id());
  }
};

TEST_F(ArbitrateStreamTest, ResultsComeInTheOrderOfTheRequests) {
  server_.answers.arbitrate_stream = [&](grpc::ServerContext&, ServerStream& stream) {
    ++streams_;
    v1::ArbitrateStreamRequest message;
    while (stream.Read(&message)) {
      Note(message);
      stream.Write(Answer(message));
    }
    return grpc::Status::OK;
  };
  const Client client = MakeClient();
  {
    ArbitrateStream stream(client);
    ExpectInOrder(stream.Arbitrate(MakeRequests(200)), 200);
    ExpectInOrder(stream.Arbitrate(MakeRequests(1)), 1);
    ExpectInOrder(stream.Arbitrate({}), 0);
  }
  EXPECT_EQ(message_sizes_, (std::vector<int>{64, 64, 64, 8, 1}));
  EXPECT_EQ(streams_, 1) << "the stream is kept from call to call";
  EXPECT_EQ(std::set<std::string>(request_ids_.begin(), request_ids_.end()).size(), 201u);
}

TEST_F(ArbitrateStreamTest, MessagesAreSentBeforeTheFirstIsAnswered) {
  server_.answers.arbitrate_stream = [&](grpc::ServerContext&, ServerStream& stream) {
    std::vector<v1::ArbitrateStreamRequest> messages(3);
    for (auto& message : messages) {
      if (!stream.Read(&message)) return grpc::Status(grpc::StatusCode::INTERNAL, "no message");
    }
    for (const auto& message : messages) stream.Write(Answer(message));
    v1::ArbitrateStreamRequest end;
    stream.Read(&end);
    return grpc::Status::OK;
  };
  const Client client = MakeClient();
  ArbitrateStream stream(client);
  ExpectInOrder(stream.Arbitrate(MakeRequests(150)), 150);
}

TEST_F(ArbitrateStreamTest, OnlyWhatWasNotAnsweredIsSentAgainAndUnderTheSameIds) {
  server_.answers.arbitrate_stream = [&](grpc::ServerContext&, ServerStream& stream) {
    ++streams_;
    v1::ArbitrateStreamRequest message;
    while (stream.Read(&message)) {
      Note(message);
      // The first stream breaks after it has answered one message and taken another.
      if (streams_ == 1 && message_sizes_.size() == 2) {
        return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
      }
      stream.Write(Answer(message));
    }
    return grpc::Status::OK;
  };
  const Client client = MakeClient();
  {
    ArbitrateStream stream(client);
    ExpectInOrder(stream.Arbitrate(MakeRequests(100)), 100);
  }
  EXPECT_EQ(streams_, 2);
  ASSERT_EQ(message_sizes_, (std::vector<int>{64, 36, 36}));
  EXPECT_TRUE(std::equal(request_ids_.begin() + 64, request_ids_.begin() + 100, request_ids_.begin() + 100));
}

TEST_F(ArbitrateStreamTest, StreamThatTheServerEndsIsOpenedAgain) {
  server_.answers.arbitrate_stream = [&](grpc::ServerContext&, ServerStream& stream) {
    ++streams_;
    v1::ArbitrateStreamRequest message;
    if (stream.Read(&message)) stream.Write(Answer(message));
    return grpc::Status::OK;
  };
  const Client client = MakeClient();
  ArbitrateStream stream(client);
  ExpectInOrder(stream.Arbitrate(MakeRequests(2)), 2);
  ExpectInOrder(stream.Arbitrate(MakeRequests(3)), 3);
  EXPECT_EQ(streams_, 2);
}

TEST_F(ArbitrateStreamTest, OtherErrorsEndTheCallButNotTheObject) {
  server_.answers.arbitrate_stream = [&](grpc::ServerContext&, ServerStream& stream) {
    if (++streams_ == 1) return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "too many");
    v1::ArbitrateStreamRequest message;
    while (stream.Read(&message)) stream.Write(Answer(message));
    return grpc::Status::OK;
  };
  const Client client = MakeClient();
  ArbitrateStream stream(client);
  EXPECT_EQ(stream.Arbitrate(MakeRequests(1)).status().code(), absl::StatusCode::kInvalidArgument);
  ExpectInOrder(stream.Arbitrate(MakeRequests(1)), 1);
}

TEST_F(ArbitrateStreamTest, AnswerThatDoesNotFitTheRequestsIsNoAnswer) {
  server_.answers.arbitrate_stream = [](grpc::ServerContext&, ServerStream& stream) {
    v1::ArbitrateStreamRequest message;
    while (stream.Read(&message)) {
      message.mutable_requests()->RemoveLast();
      stream.Write(Answer(message));
    }
    return grpc::Status::OK;
  };
  const Client client = MakeClient();
  ArbitrateStream stream(client);
  EXPECT_EQ(stream.Arbitrate(MakeRequests(3)).status().code(), absl::StatusCode::kInternal);
}

TEST_F(ArbitrateStreamTest, SilentServerIsLeftAtTheDeadline) {
  server_.answers.arbitrate_stream = [](grpc::ServerContext& context, ServerStream&) {
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const Client client = MakeClient();
  ArbitrateStream stream(client);
  EXPECT_EQ(stream.Arbitrate(MakeRequests(1), {.deadline = absl::Milliseconds(50)}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace interlock::client
