// One stream in bytes, in both directions.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>

#include "absl/status/status.h"
#include "server/rpc/io_thread.h"

namespace interlock::server {

// What a stream tells. All calls come from the stream's I/O thread.
class StreamReactor {
 public:
  virtual ~StreamReactor() = default;

  // A read has ended; not ok: the peer sends nothing more.
  virtual void OnReadDone(bool ok) = 0;
  // A write was taken; not ok: the peer gets nothing any more.
  virtual void OnWriteDone(bool ok) = 0;
  // The peer is gone, or the server ends all calls. Finish must still be called.
  virtual void OnCancel() = 0;
  // The last call: Finish was called, all that was started has ended, and the stream must not be used any more.
  virtual void OnDone() = 0;
};

// Begins with the stream that is accepted into it and deletes itself after OnDone. The methods that start something are
// thread-safe; one read, one write and one Finish may be under way at a time. What they name must live until they end.
class RawStream {
 public:
  explicit RawStream(IoThread& io);
  RawStream(const RawStream&) = delete;
  RawStream& operator=(const RawStream&) = delete;

  IoThread& io() { return io_; }
  // What gRPC fills in when the stream comes.
  grpc::ServerContext& context() { return context_; }
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>& stream() { return stream_; }
  // Whom to tell; set before anything is started.
  void SetReactor(StreamReactor& reactor) { reactor_ = &reactor; }

  // Whether a write is the last for now or is followed at once by another, so that both may leave together.
  enum class Following { kNothing, kAnotherWrite };

  void StartRead(grpc::ByteBuffer& bytes);
  void StartWrite(const grpc::ByteBuffer& bytes, Following following = Following::kNothing);
  void Finish(const absl::Status& status);

 private:
  void ReadDone(bool ok);
  void WriteDone(bool ok);
  void Finished(bool ok);
  // gRPC has seen the end of the call.
  void CallEnded(bool ok);
  void EndOne();

  IoThread& io_;
  const IoThread::Hold hold_{io_};
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer> stream_;
  StreamReactor* reactor_ = nullptr;
  // Whether anything was written; for who writes.
  bool written_ = false;
  // What has not ended yet: from the beginning the call and its Finish.
  std::atomic<int> pending_ = 2;
  MemberEvent<RawStream> read_event_;
  MemberEvent<RawStream> write_event_;
  MemberEvent<RawStream> finished_event_;
  MemberEvent<RawStream> ended_event_;
};

}  // namespace interlock::server
