// Bytes that are no request, and messages that are too large, never become a verdict or any other answer, change
// nothing, and leave the server alive.
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::ActionOf;
using support::Api;
using support::Safety;

// Well above what a message may be, and what gRPC takes by default.
constexpr size_t kTooManyBytes = 8 << 20;
constexpr char kArbitrate[] = "/interlock.v1.SafetyService/Arbitrate";
constexpr char kArbitrateStream[] = "/interlock.v1.SafetyService/ArbitrateStream";

// How a call with these bytes as its only request ended, and how many replies came.
struct RawEnd {
  grpc::Status status;
  int reply_count = 0;
};

// A client that does not know the schema.
class RawClient {
 public:
  explicit RawClient(const std::shared_ptr<grpc::Channel>& channel) : stub_(channel) {}
  ~RawClient() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  // `method` as "/package.Service/Method".
  RawEnd Call(const std::string& method, const std::string& bytes) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + support::kCallTimeout));
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    const auto call = stub_.PrepareCall(&context, method, &queue_);
    call->StartCall(nullptr);
    Wait();
    call->WriteLast(request, grpc::WriteOptions(), nullptr);
    Wait();
    RawEnd end;
    grpc::ByteBuffer reply;
    call->Read(&reply, nullptr);
    while (Wait()) {
      ++end.reply_count;
      call->Read(&reply, nullptr);
    }
    call->Finish(&end.status, nullptr);
    Wait();
    return end;
  }

 private:
  // Waits for the one operation that is under way; answers whether it worked.
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
    return ok;
  }

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
};

// The paths of all methods of the API.
std::vector<std::string> AllMethods() {
  std::vector<std::string> methods;
  const google::protobuf::DescriptorPool& pool = *google::protobuf::DescriptorPool::generated_pool();
  for (const char* service_name : {"AdminService", "AlertService", "LockService", "MonitorService", "PolicyService",
                                   "SafetyService", "SchedulerService"}) {
    const auto* service = pool.FindServiceByName(absl::StrCat("interlock.v1.", service_name));
    for (int i = 0; service != nullptr && i < service->method_count(); ++i) {
      methods.push_back(absl::StrCat("/", service->full_name(), "/", service->method(i)->name()));
    }
  }
  return methods;
}

class BadBytesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = new support::ServerProcess({"bad_bytes", {}}); }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
  }

  // The server answers as ever and has decided nothing and told nobody anything.
  void ExpectAliveAndUnchanged() {
    const Api api(server->NewChannel());
    const auto info = api.Call(&support::Admin::GetServerInfo, v1::GetServerInfoRequest());
    ASSERT_TRUE(info.ok()) << info.status.error_message();
    EXPECT_EQ(info->decision_sequence(), 0);
    EXPECT_EQ(info->alert_sequence(), 0);
    EXPECT_EQ(info->active_lock_count(), 0);
    EXPECT_EQ(info->agent_count(), 0);
  }

  static support::ServerProcess* server;
  const std::shared_ptr<grpc::Channel> channel_ = server->NewChannel();
  RawClient client_{channel_};
};

support::ServerProcess* BadBytesTest::server = nullptr;

TEST_F(BadBytesTest, BytesThatAreNoMessageAreRefusedByEveryMethod) {
  ASSERT_GE(AllMethods().size(), 25u);
  for (const std::string& method : AllMethods()) {
    // A field number of 0; a length beyond the end; a group that does not end.
    for (const std::string& bytes : {std::string("\0\0\0", 3), std::string("\x0a\x7f"), std::string("\x0b")}) {
      const RawEnd end = client_.Call(method, bytes);
      // gRPC tells the server of a message that it cannot read as of the end of the caller's messages.
      const bool is_last_message = method == kArbitrateStream;
      EXPECT_TRUE(is_last_message || !end.status.ok()) << method;
      EXPECT_NE(end.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << method;
      EXPECT_EQ(end.reply_count, 0) << method;
    }
  }
  ExpectAliveAndUnchanged();
}

TEST_F(BadBytesTest, TruncatedRequestsAreNeverVerdicts) {
  v1::ArbitrateRequest request = ActionOf("t", "a");
  request.set_request_id("id");
  const std::string whole = request.SerializeAsString();
  v1::ArbitrateStreamRequest message;
  *message.add_requests() = request;
  const std::string whole_message = message.SerializeAsString();
  for (size_t size = 0; size < whole.size(); ++size) {
    // What is cut at the end of a field is a message, but not a whole action.
    const RawEnd end = client_.Call(kArbitrate, whole.substr(0, size));
    EXPECT_FALSE(end.status.ok()) << size;
    EXPECT_EQ(end.reply_count, 0) << size;
  }
  for (size_t size = 0; size < whole_message.size(); ++size) {
    const RawEnd end = client_.Call(kArbitrateStream, whole_message.substr(0, size));
    EXPECT_EQ(end.reply_count, 0) << size;
  }
  ExpectAliveAndUnchanged();
}

TEST_F(BadBytesTest, TextThatIsNotUtf8IsRefused) {
  // request.action.tenant_id = "\xff".
  EXPECT_FALSE(client_.Call(kArbitrate, "\x12\x03\x0a\x01\xff").status.ok());
  ExpectAliveAndUnchanged();
}

TEST_F(BadBytesTest, MessagesOverTheLimitAreRefused) {
  for (const std::string& method : AllMethods()) {
    const RawEnd end = client_.Call(method, std::string(kTooManyBytes, '\x0a'));
    EXPECT_EQ(end.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << method;
    EXPECT_EQ(end.reply_count, 0) << method;
  }
  ExpectAliveAndUnchanged();
}

TEST_F(BadBytesTest, UnknownMethodsAndServicesAreUnimplemented) {
  for (const char* method : {"/interlock.v1.SafetyService/Allow", "/interlock.v2.SafetyService/Arbitrate"}) {
    EXPECT_EQ(client_.Call(method, "").status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
  }
  ExpectAliveAndUnchanged();
}

TEST_F(BadBytesTest, UnknownFieldsInAnActionAreRefused) {
  v1::ArbitrateRequest request = ActionOf("t", "a");
  request.mutable_action()->GetReflection()->MutableUnknownFields(request.mutable_action())->AddVarint(1000, 1);
  const auto refused = Api(channel_).Call(&Safety::Arbitrate, request);
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(support::ReasonOf(refused.status), "INVALID_FIELD");
  ExpectAliveAndUnchanged();
}

TEST_F(BadBytesTest, CallersThatVanishLeaveTheServerAlive) {
  for (int i = 0; i < 20; ++i) {
    const Api api(server->NewChannel());
    grpc::ClientContext context;
    api.Prepare(context);
    const auto stream = api.stub<Safety>().ArbitrateStream(&context);
    stream->Write(v1::ArbitrateStreamRequest());
    context.TryCancel();
  }
  ExpectAliveAndUnchanged();
}

}  // namespace
}  // namespace interlock
