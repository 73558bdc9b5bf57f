// Reads one server stream with time limits. Used inside the library only.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "client/connection.h"
#include "client/grpc_status.h"

namespace interlock::client {

enum class StreamEvent { kMessage, kEnd, kTimeout };

// One stream from its start to its end. It reads only when asked, so that a slow reader holds back
// its own stream and no memory fills up. One thread may call Next; Cancel may come from any other.
template <typename Response>
class StreamReader {
 public:
  using Reader = grpc::ClientAsyncReaderInterface<Response>;
  // Starts the call on the queue with the tag.
  using Start = std::function<std::unique_ptr<Reader>(grpc::ClientContext*, grpc::CompletionQueue*, void* tag)>;

  StreamReader(const Connection& connection, const Start& start) {
    connection.Identify(context_);
    // A stream without a server waits for it: gRPC connects only while somebody waits.
    context_.set_wait_for_ready(true);
    reader_ = start(&context_, &queue_, this);
  }

  ~StreamReader() {
    context_.TryCancel();
    // Shutting down waits for the one operation under way, which the cancelling ends.
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  // The next message, the end of the stream with its status, or neither within `timeout`, after
  // which the same wait may be taken up again. After the end: only the end.
  StreamEvent Next(absl::Duration timeout, Response* message, absl::Status* end) {
    const auto deadline = GrpcDeadline(timeout);
    while (state_ != State::kEnded) {
      if (state_ == State::kIdle) {
        reader_->Read(&message_, this);
        state_ = State::kReading;
      }
      void* tag = nullptr;
      bool ok = false;
      if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) {
        return StreamEvent::kTimeout;
      }
      if (Advance(ok)) {
        *message = std::move(message_);
        return StreamEvent::kMessage;
      }
    }
    *end = end_;
    return StreamEvent::kEnd;
  }

  // Ends the stream with CANCELLED.
  void Cancel() { context_.TryCancel(); }

 private:
  // What the operation under way is.
  enum class State { kStarting, kIdle, kReading, kFinishing, kEnded };

  // Takes the outcome of the operation under way. True: a message has been read.
  bool Advance(bool ok) {
    if (state_ == State::kFinishing) {
      end_ = FromGrpc(grpc_end_);
      state_ = State::kEnded;
      return false;
    }
    if (!ok) {
      reader_->Finish(&grpc_end_, this);
      state_ = State::kFinishing;
      return false;
    }
    const bool message = state_ == State::kReading;
    state_ = State::kIdle;
    return message;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<Reader> reader_;
  State state_ = State::kStarting;
  Response message_;
  grpc::Status grpc_end_;
  absl::Status end_;
};

}  // namespace interlock::client
