// Between the callers and the server: messages take time, and get lost, late or doubled. Calls are tried again as
// client/retry.h says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/environment.h"
#include "client/retry.h"
#include "tests/simulation/server.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

// A status in few words: its code, and the reason that the server names.
std::string InShort(const absl::Status& status);

// Thread-compatible. Must outlive all events of its timeline.
class Network {
 public:
  // How likely something happens to a message.
  struct Faults {
    double lost_reply = 0;
    double duplicate = 0;
    double delay = 0;
  };
  // How long a caller tries. Far less than a request id is remembered.
  static constexpr absl::Duration kDeadline = absl::Minutes(1);
  // A message that is delayed or doubled comes so much later at most.
  static constexpr absl::Duration kDelayMax = absl::Minutes(2);

  Network(Sim& sim, SimServer& server);

  void set_faults(const Faults& faults) { faults_ = faults; }
  // What the library of a client takes from its machine.
  const client::Environment& environment() const { return environment_; }
  absl::Duration Latency();

  // Makes a call, again and again until there is an answer or kDeadline has passed. Calls under way are counted.
  template <typename Request, typename Reply>
  void Call(const v1::Principal& caller, Request request, SimServer::Answer<Reply> done);

  int calls_under_way() const { return calls_under_way_; }

 private:
  template <typename Request, typename Reply>
  struct Attempts;
  template <typename Request, typename Reply>
  void Try(std::shared_ptr<Attempts<Request, Reply>> attempts);
  template <typename Request, typename Reply>
  void Send(std::shared_ptr<Attempts<Request, Reply>> attempts, absl::Duration delay, SimServer::Answer<Reply> answer);

  Sim& sim_;
  SimServer& server_;
  const client::Environment environment_;
  Faults faults_;
  int calls_under_way_ = 0;
};

// One call with all its tries.
template <typename Request, typename Reply>
struct Network::Attempts {
  v1::Principal caller;
  std::shared_ptr<const Request> request;
  SimServer::Answer<Reply> done;
  absl::Time end;
  client::Backoff backoff;
};

template <typename Request, typename Reply>
void Network::Call(const v1::Principal& caller, Request request, SimServer::Answer<Reply> done) {
  ++calls_under_way_;
  Try(std::make_shared<Attempts<Request, Reply>>(Attempts<Request, Reply>{
      caller, std::make_shared<const Request>(std::move(request)), std::move(done), sim_.timeline.now() + kDeadline,
      client::Backoff(client::RetryPolicy(), environment())}));
}

template <typename Request, typename Reply>
void Network::Try(std::shared_ptr<Attempts<Request, Reply>> attempts) {
  const auto finish = [this, attempts](const absl::StatusOr<Reply>& reply) {
    const absl::Duration wait =
        client::IsRetryable(reply.status()) ? attempts->backoff.Next(reply.status()) : absl::ZeroDuration();
    if (!client::IsRetryable(reply.status()) || sim_.timeline.now() + wait >= attempts->end) {
      --calls_under_way_;
      return attempts->done(reply);
    }
    sim_.timeline.After(wait, [this, attempts] { Try(attempts); });
  };
  const bool lost = sim_.random.Chance(faults_.lost_reply);
  if (lost) sim_.coverage.Count("fault", "reply lost");
  absl::Duration delay = Latency();
  if (sim_.random.Chance(faults_.delay)) {
    sim_.coverage.Count("fault", "request delayed");
    delay += sim_.random.Between(absl::Seconds(1), absl::Seconds(20));
  }
  Send<Request, Reply>(attempts, delay, [this, finish, lost](const absl::StatusOr<Reply>& reply) {
    const absl::StatusOr<Reply> received = lost ? absl::UnavailableError("the connection was cut") : reply;
    sim_.timeline.After(Latency(), [finish, received] { finish(received); });
  });
  if (sim_.random.Chance(faults_.duplicate)) {
    sim_.coverage.Count("fault", "request duplicated");
    Send<Request, Reply>(attempts, sim_.random.Between(absl::ZeroDuration(), kDelayMax),
                         [](const absl::StatusOr<Reply>&) {});
  }
}

template <typename Request, typename Reply>
void Network::Send(std::shared_ptr<Attempts<Request, Reply>> attempts, absl::Duration delay,
                   SimServer::Answer<Reply> answer) {
  sim_.timeline.After(delay, [this, attempts, answer = std::move(answer)] {
    server_.Receive<Request, Reply>(attempts->caller, attempts->request, answer);
  });
}

}  // namespace interlock::simulation
