#include "server/rpc/raw_stream.h"

#include "server/base/grpc_status.h"

namespace interlock::server {

RawStream::RawStream(IoThread& io)
    : io_(io),
      stream_(&context_),
      read_event_(*this, &RawStream::ReadDone),
      write_event_(*this, &RawStream::WriteDone),
      finished_event_(*this, &RawStream::Finished),
      ended_event_(*this, &RawStream::CallEnded) {
  context_.AsyncNotifyWhenDone(&ended_event_);
}

void RawStream::StartRead(grpc::ByteBuffer& bytes) {
  ++pending_;
  stream_.Read(&bytes, &read_event_);
}

void RawStream::StartWrite(const grpc::ByteBuffer& bytes, Following following) {
  ++pending_;
  grpc::WriteOptions options;
  // gRPC ends the first write only when the headers have left, and they wait for a write without the hint.
  if (following == Following::kAnotherWrite && written_) options.set_buffer_hint();
  written_ = true;
  stream_.Write(bytes, options, &write_event_);
}

void RawStream::Finish(const absl::Status& status) { stream_.Finish(ToGrpcStatus(status), &finished_event_); }

void RawStream::ReadDone(bool ok) {
  reactor_->OnReadDone(ok);
  EndOne();
}

void RawStream::WriteDone(bool ok) {
  reactor_->OnWriteDone(ok);
  EndOne();
}

void RawStream::Finished(bool) { EndOne(); }

void RawStream::CallEnded(bool) {
  if (context_.IsCancelled()) reactor_->OnCancel();
  EndOne();
}

void RawStream::EndOne() {
  if (--pending_ > 0) return;
  reactor_->OnDone();
  delete this;
}

}  // namespace interlock::server
