#include "client/arbitrate_stream.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/connection.h"
#include "interlock/v1/safety_service.grpc.pb.h"

namespace interlock::client {
namespace {

// The server's bound; safety_service.proto.
constexpr int kRequestsMax = 64;

// One stream from its start to its end. A write and a read are under way at the same time, so that
// neither side can block the other by waiting for it to read.
class Stream {
 public:
  Stream(const Connection& connection, v1::SafetyService::StubInterface& stub) {
    connection.Identify(context_);
    call_ = stub.AsyncArbitrateStream(&context_, &queue_, &starting_);
  }

  ~Stream() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Sends `messages` from `answered` on and appends the results of each answer, counting it in
  // `answered`. After an error the stream is of no more use.
  absl::Status Exchange(const std::vector<v1::ArbitrateStreamRequest>& messages, absl::Duration timeout,
                        size_t& answered, std::vector<v1::ArbitrateResult>& results) {
    const auto deadline = GrpcDeadline(timeout);
    size_t sent = answered;
    while (answered < messages.size()) {
      if (!starting_ && !writing_ && sent < messages.size()) {
        writing_ = true;
        call_->Write(messages[sent++], &writing_);
      }
      if (!starting_ && !reading_) {
        reading_ = true;
        call_->Read(&response_, &reading_);
      }
      void* tag = nullptr;
      bool ok = false;
      if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) {
        return absl::DeadlineExceededError(absl::StrCat("no verdict within ", absl::FormatDuration(timeout)));
      }
      *static_cast<bool*>(tag) = false;
      if (!ok) return Finish();
      if (tag != &reading_) continue;
      if (response_.results_size() != messages[answered].requests_size()) {
        return absl::InternalError(absl::StrCat("the server answered ", response_.results_size(), " of ",
                                                messages[answered].requests_size(), " requests of a message"));
      }
      for (auto& result : *response_.mutable_results()) results.push_back(std::move(result));
      ++answered;
    }
    return absl::OkStatus();
  }

 private:
  // Why the stream failed.
  absl::Status Finish() {
    grpc::Status status;
    bool finishing = true;
    call_->Finish(&status, &finishing);
    void* tag = nullptr;
    bool ok = false;
    while (finishing && queue_.Next(&tag, &ok)) *static_cast<bool*>(tag) = false;
    if (status.ok()) return absl::UnavailableError("the server ended the stream");
    return FromGrpc(status);
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReaderWriterInterface<v1::ArbitrateStreamRequest, v1::ArbitrateStreamResponse>>
      call_;
  // Whether each operation is under way; their addresses are the tags.
  bool starting_ = true;
  bool writing_ = false;
  bool reading_ = false;
  v1::ArbitrateStreamResponse response_;
};

std::vector<v1::ArbitrateStreamRequest> SplitIntoMessages(std::vector<v1::ArbitrateRequest> requests,
                                                          const Environment& environment) {
  std::vector<v1::ArbitrateStreamRequest> messages;
  for (v1::ArbitrateRequest& request : requests) {
    if (request.request_id().empty()) request.set_request_id(NewRequestId(environment));
    if (messages.empty() || messages.back().requests_size() == kRequestsMax) {
      messages.emplace_back();
    }
    *messages.back().add_requests() = std::move(request);
  }
  return messages;
}

}  // namespace

struct ArbitrateStream::State {
  explicit State(std::shared_ptr<const Connection> shared_connection)
      : connection(std::move(shared_connection)), stub(v1::SafetyService::NewStub(connection->channel())) {}

  const std::shared_ptr<const Connection> connection;
  const std::unique_ptr<v1::SafetyService::StubInterface> stub;
  std::unique_ptr<Stream> stream;
};

ArbitrateStream::ArbitrateStream(const Client& client) : state_(std::make_unique<State>(client.connection())) {}

ArbitrateStream::~ArbitrateStream() = default;

absl::StatusOr<std::vector<v1::ArbitrateResult>> ArbitrateStream::Arbitrate(std::vector<v1::ArbitrateRequest> requests,
                                                                            const CallOptions& options) {
  const ClientOptions& client = state_->connection->options();
  std::vector<v1::ArbitrateResult> results;
  results.reserve(requests.size());
  const auto messages = SplitIntoMessages(std::move(requests), client.environment);
  size_t answered = 0;
  const auto attempt = [&](absl::Duration left) {
    if (state_->stream == nullptr) {
      state_->stream = std::make_unique<Stream>(*state_->connection, *state_->stub);
    }
    absl::Status status = state_->stream->Exchange(messages, left, answered, results);
    if (!status.ok()) state_->stream.reset();
    return status;
  };
  const absl::Status status = state_->connection->Retry(options.deadline.value_or(client.deadline), attempt);
  if (!status.ok()) return status;
  return results;
}

}  // namespace interlock::client
