// ArbitrateStream of the real program: every request of a message gets its own answer, in order, and nothing but a
// verdict is ever one.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::ActionOf;
using support::Api;
using support::Safety;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kRequestsMax = 64;

// One open stream.
class Stream {
 public:
  explicit Stream(const Api& api) {
    api.Prepare(context_);
    stream_ = api.stub<Safety>().ArbitrateStream(&context_);
  }

  bool Write(const v1::ArbitrateStreamRequest& request) { return stream_->Write(request); }
  // Empty when the stream has ended.
  std::vector<v1::ArbitrateResult> Read() {
    v1::ArbitrateStreamResponse response;
    if (!stream_->Read(&response)) return {};
    return {response.results().begin(), response.results().end()};
  }
  // Says that no more will be written, and how the stream ended.
  grpc::Status Finish() {
    stream_->WritesDone();
    EXPECT_THAT(Read(), IsEmpty()) << "unread results";
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ArbitrateStreamRequest, v1::ArbitrateStreamResponse>> stream_;
};

class ArbitrateStreamTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = new support::ServerProcess({"arbitrate_stream", {}}); }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
  }

  // `count` actions with the ids FIRST, FIRST + 1 and so on.
  v1::ArbitrateStreamRequest Actions(int count, int first = 0) const {
    v1::ArbitrateStreamRequest message;
    for (int i = 0; i < count; ++i) {
      v1::ArbitrateRequest& request = *message.add_requests();
      request = ActionOf(tenant_, absl::StrCat("agent-", i), absl::StrCat("share_", i));
      request.mutable_action()->set_action_id(absl::StrCat(first + i));
    }
    return message;
  }
  std::vector<v1::Decision> Stored() const {
    v1::ListDecisionsRequest request;
    request.set_tenant_id(tenant_);
    request.set_page_size(1000);
    const auto page = api_.Call(&Safety::ListDecisions, request);
    EXPECT_TRUE(page.ok()) << page.status.error_message();
    return {page->decisions().rbegin(), page->decisions().rend()};
  }

  static support::ServerProcess* server;
  const Api api_{server->NewChannel()};
  const std::string tenant_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

support::ServerProcess* ArbitrateStreamTest::server = nullptr;

TEST_F(ArbitrateStreamTest, FullMessagesAreAnsweredInOrder) {
  Stream stream(api_);
  constexpr int kMessages = 5;
  for (int message = 0; message < kMessages; ++message) {
    ASSERT_TRUE(stream.Write(Actions(kRequestsMax, message * kRequestsMax)));
  }
  std::vector<v1::Decision> answered;
  for (int message = 0; message < kMessages; ++message) {
    const std::vector<v1::ArbitrateResult> results = stream.Read();
    ASSERT_THAT(results, SizeIs(kRequestsMax));
    for (const v1::ArbitrateResult& result : results) {
      ASSERT_TRUE(result.has_decision());
      EXPECT_EQ(result.decision().action_id(), absl::StrCat(answered.size()));
      answered.push_back(result.decision());
    }
  }
  EXPECT_TRUE(stream.Finish().ok());

  const std::vector<v1::Decision> stored = Stored();
  ASSERT_EQ(stored.size(), answered.size());
  for (size_t i = 0; i < stored.size(); ++i) {
    EXPECT_EQ(stored[i].SerializeAsString(), answered[i].SerializeAsString());
    if (i > 0) {
      EXPECT_EQ(answered[i].sequence(), answered[i - 1].sequence() + 1);
    }
  }
}

TEST_F(ArbitrateStreamTest, BadRequestInTheMiddleIsAnErrorAndTheOthersAreDecided) {
  v1::ArbitrateStreamRequest message = Actions(5);
  message.mutable_requests(2)->mutable_action()->set_risk_score(2);
  Stream stream(api_);
  ASSERT_TRUE(stream.Write(message));
  const std::vector<v1::ArbitrateResult> results = stream.Read();
  ASSERT_THAT(results, SizeIs(5));
  for (int i = 0; i < 5; ++i) {
    const v1::ArbitrateResult& result = results[static_cast<size_t>(i)];
    if (i == 2) {
      ASSERT_TRUE(result.has_error());
      EXPECT_EQ(result.error().code(), grpc::StatusCode::INVALID_ARGUMENT);
      EXPECT_EQ(result.error().reason(), "INVALID_FIELD");
      EXPECT_THAT(result.error().message(), ::testing::HasSubstr("risk_score"));
    } else {
      ASSERT_TRUE(result.has_decision());
      EXPECT_EQ(result.decision().action_id(), absl::StrCat(i));
      EXPECT_EQ(result.decision().verdict(), v1::VERDICT_ALLOW);
    }
  }
  EXPECT_THAT(Stored(), SizeIs(4));

  ASSERT_TRUE(stream.Write(Actions(1))) << "the stream goes on";
  EXPECT_THAT(stream.Read(), SizeIs(1));
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ArbitrateStreamTest, MessageOfTooManyOrNoRequestsIsRefusedAsAWhole) {
  for (const int count : {0, kRequestsMax + 1}) {
    Stream stream(api_);
    ASSERT_TRUE(stream.Write(Actions(count)));
    EXPECT_THAT(stream.Read(), IsEmpty());
    EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT) << count;
  }
  EXPECT_THAT(Stored(), IsEmpty());
}

TEST_F(ArbitrateStreamTest, RequestIdsAreTheSameAsThoseOfArbitrate) {
  v1::ArbitrateStreamRequest message = Actions(2);
  message.mutable_requests(0)->set_request_id("one");
  message.mutable_requests(1)->set_request_id("one");
  Stream stream(api_);
  ASSERT_TRUE(stream.Write(message));
  const std::vector<v1::ArbitrateResult> results = stream.Read();
  ASSERT_THAT(results, SizeIs(2));
  ASSERT_TRUE(results[0].has_decision());
  ASSERT_TRUE(results[1].has_error());
  EXPECT_EQ(results[1].error().reason(), "REQUEST_ID_REUSED");
  EXPECT_EQ(results[1].error().code(), grpc::StatusCode::FAILED_PRECONDITION);

  const auto repeated = api_.Call(&Safety::Arbitrate, message.requests(0));
  ASSERT_TRUE(repeated.ok()) << repeated.status.error_message();
  EXPECT_TRUE(repeated->replayed());
  EXPECT_EQ(repeated->decision_id(), results[0].decision().decision_id());
}

TEST_F(ArbitrateStreamTest, LockBetweenTwoMessagesBlocksTheSecond) {
  Stream stream(api_);
  ASSERT_TRUE(stream.Write(Actions(1)));
  const std::vector<v1::ArbitrateResult> before = stream.Read();
  ASSERT_THAT(before, SizeIs(1));
  EXPECT_EQ(before[0].decision().verdict(), v1::VERDICT_ALLOW);
  const auto lock =
      api_.Call(&support::Locks::EngageLock, support::EngageOf(tenant_, v1::SCOPE_KIND_TENANT, tenant_, "drill"));
  ASSERT_TRUE(lock.ok()) << lock.status.error_message();
  ASSERT_TRUE(stream.Write(Actions(1)));
  const std::vector<v1::ArbitrateResult> after = stream.Read();
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_EQ(after[0].decision().verdict(), v1::VERDICT_LOCK);
}

}  // namespace
}  // namespace interlock
