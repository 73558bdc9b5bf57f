// One open stream of the simulated server: asks for the next message whenever the last one was taken, as
// server/rpc/feed_reactor.h does over gRPC.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/feed/feed_stream.h"
#include "server/feed/stream_hub.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class StreamSession final : public server::HubStream, public std::enable_shared_from_this<StreamSession> {
 public:
  struct Client {
    // Takes a message; the next one follows `pause` later.
    std::function<void(const std::string& bytes)> on_message;
    // The stream is over. Called once, unless the client cut it.
    std::function<void(const absl::Status& status)> on_end;
    absl::Duration pause;
  };

  // `wake_streams` has the hub wake whom it is due to, and then calls Resume of each.
  StreamSession(Sim& sim, server::StreamHub& hub, std::unique_ptr<server::FeedStream> stream, Client client,
                std::function<void()> wake_streams);

  // Begins to send.
  void Begin();
  // Ends at once; messages on their way are lost. `status` goes to the client.
  void Cut(const absl::Status& status);
  bool open() const { return stream_ != nullptr; }

  // Takes note: the hub wakes streams in the order of their addresses, which is another in each run.
  void Wake() override { woken_ = true; }
  // Goes on if it was woken.
  void Resume();
  void End(const absl::Status& status) override { Cut(status); }

 private:
  void Pump();
  void ReadOn();
  void Handle(const absl::StatusOr<server::StreamStep>& step, uint64_t notifications);

  Sim& sim_;
  server::StreamHub& hub_;
  // Null once it is over.
  std::unique_ptr<server::FeedStream> stream_;
  const Client client_;
  const std::function<void()> wake_streams_;
  bool woken_ = false;
};

}  // namespace interlock::simulation
