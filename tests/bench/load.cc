#include "tests/bench/load.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <deque>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/types/optional.h"
#include "core/base/check.h"

namespace interlock::bench {
namespace {

// No call takes longer unless the server hangs.
constexpr absl::Duration kPatience = absl::Seconds(60);

// What all calls of one load share.
class Meter {
 public:
  Meter(const Load& load, Traffic& traffic)
      : traffic_(traffic),
        method_(traffic.Method()),
        begin_(absl::Now()),
        end_(begin_ + load.duration),
        deadline_(absl::ToChronoTime(end_ + kPatience)) {}

  grpc::CompletionQueue& queue() { return queue_; }
  const std::string& method() const { return method_; }
  // Of every call.
  std::chrono::system_clock::time_point deadline() const { return deadline_; }
  grpc::ByteBuffer NextRequest() { return traffic_.NextRequest(); }

  // Whether further calls are to be begun.
  bool MayBegin(absl::Time now) const { return now < end_ && result_.fault.empty(); }
  void Replied(absl::Time begin, absl::Time now, grpc::ByteBuffer& reply) {
    if (now <= end_) result_.latencies.Add(now - begin);
    std::string fault = traffic_.CheckReply(reply);
    if (fault.empty()) {
      ++result_.good_replies;
    } else {
      Fail(std::move(fault));
    }
  }
  void Fail(std::string fault) {
    if (result_.fault.empty()) result_.fault = std::move(fault);
  }
  LoadResult TakeResult() {
    result_.replies_per_second = static_cast<double>(result_.latencies.count()) / absl::ToDoubleSeconds(end_ - begin_);
    return std::move(result_);
  }

 private:
  Traffic& traffic_;
  const std::string method_;
  grpc::CompletionQueue queue_;
  const absl::Time begin_;
  const absl::Time end_;
  const std::chrono::system_clock::time_point deadline_;
  LoadResult result_;
};

using Stub = grpc::GenericStub;
// What is to be done when an operation has ended; the tag of the completion queue.
using Ended = std::function<void(bool ok)>;

void RunUntilDrained(Meter& meter, const int& open) {
  void* tag = nullptr;
  bool ok = false;
  while (open > 0) {
    INTERLOCK_CHECK(meter.queue().Next(&tag, &ok));
    (*static_cast<Ended*>(tag))(ok);
  }
  meter.queue().Shutdown();
  INTERLOCK_CHECK(!meter.queue().Next(&tag, &ok));
}

// One unary call after the other.
class Caller {
 public:
  Caller(Meter& meter, const std::shared_ptr<grpc::Channel>& channel, int& open)
      : meter_(meter), stub_(channel), open_(open), ended_([this](bool) { End(); }) {
    ++open_;
    Begin(absl::Now());
  }

 private:
  void Begin(absl::Time now) {
    begin_ = now;
    context_.emplace();
    context_->set_deadline(meter_.deadline());
    call_ = stub_.PrepareUnaryCall(&*context_, meter_.method(), meter_.NextRequest(), &meter_.queue());
    call_->StartCall();
    call_->Finish(&reply_, &status_, &ended_);
  }
  void End() {
    const absl::Time now = absl::Now();
    if (status_.ok()) {
      meter_.Replied(begin_, now, reply_);
    } else {
      meter_.Fail(absl::StrCat(status_.error_code(), ": ", status_.error_message()));
    }
    if (meter_.MayBegin(now)) return Begin(now);
    --open_;
  }

  Meter& meter_;
  Stub stub_;
  int& open_;
  Ended ended_;
  absl::Time begin_;
  absl::optional<grpc::ClientContext> context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> call_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
};

// One stream with a number of messages in flight.
class Streamer {
 public:
  Streamer(Meter& meter, const std::shared_ptr<grpc::Channel>& channel, int in_flight, int& open)
      : meter_(meter),
        stub_(channel),
        in_flight_(in_flight),
        open_(open),
        begun_([this](bool ok) { Begun(ok); }),
        written_([this](bool ok) { Written(ok); }),
        read_([this](bool ok) { Read(ok); }),
        finished_([this](bool) { Finished(); }) {
    ++open_;
    context_.set_deadline(meter.deadline());
    stream_ = stub_.PrepareCall(&context_, meter_.method(), &meter_.queue());
    stream_->StartCall(&begun_);
  }

 private:
  void Begun(bool ok) {
    if (!ok) meter_.Fail("a stream could not be begun");
    Write();
    stream_->Read(&reply_, &read_);
  }
  void Write() {
    if (writing_ || half_closed_) return;
    const absl::Time now = absl::Now();
    if (!meter_.MayBegin(now)) {
      half_closed_ = true;
      stream_->WritesDone(&written_);
    } else if (static_cast<int>(begins_.size()) < in_flight_) {
      begins_.push_back(now);
      writing_ = true;
      stream_->Write(meter_.NextRequest(), &written_);
    }
  }
  void Written(bool) {
    writing_ = false;
    if (half_closed_) {
      writes_done_ = true;
      return FinishIfEnded();
    }
    Write();
  }
  void Read(bool ok) {
    if (!ok) {
      reads_done_ = true;
      if (!half_closed_) {
        meter_.Fail("a stream ended early");
        Write();
      }
      return FinishIfEnded();
    }
    INTERLOCK_CHECK(!begins_.empty());
    meter_.Replied(begins_.front(), absl::Now(), reply_);
    begins_.pop_front();
    stream_->Read(&reply_, &read_);
    Write();
  }
  void FinishIfEnded() {
    if (writes_done_ && reads_done_) stream_->Finish(&status_, &finished_);
  }
  void Finished() {
    if (!status_.ok()) meter_.Fail(absl::StrCat(status_.error_code(), ": ", status_.error_message()));
    if (status_.ok() && !begins_.empty()) meter_.Fail("a stream ended with messages unanswered");
    --open_;
  }

  Meter& meter_;
  Stub stub_;
  const int in_flight_;
  int& open_;
  Ended begun_;
  Ended written_;
  Ended read_;
  Ended finished_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  // When each message that is not answered yet was sent.
  std::deque<absl::Time> begins_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
  bool writing_ = false;
  bool half_closed_ = false;
  bool writes_done_ = false;
  bool reads_done_ = false;
};

}  // namespace

LoadResult RunLoad(const Load& load, Traffic& traffic) {
  INTERLOCK_CHECK(!load.channels.empty());
  // As the servers do, so that the client takes no more of the machine than it needs; see server/main/grpc_settings.cc.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  Meter meter(load, traffic);
  int open = 0;
  std::deque<Caller> callers;
  std::deque<Streamer> streamers;
  const int count = load.streams > 0 ? load.streams : load.in_flight;
  for (int i = 0; i < count; ++i) {
    const auto& channel = load.channels[static_cast<size_t>(i) % load.channels.size()];
    if (load.streams > 0) {
      streamers.emplace_back(meter, channel, load.in_flight, open);
    } else {
      callers.emplace_back(meter, channel, open);
    }
  }
  RunUntilDrained(meter, open);
  return meter.TakeResult();
}

std::vector<std::shared_ptr<grpc::Channel>> NewChannels(const std::string& address, int count) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < count; ++i) {
    grpc::ChannelArguments arguments;
    // gRPC shares the connections of equal channels unless told otherwise.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channels.push_back(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    INTERLOCK_CHECK(channels.back()->WaitForConnected(absl::ToChronoTime(absl::Now() + kPatience)));
  }
  return channels;
}

}  // namespace interlock::bench
