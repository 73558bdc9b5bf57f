// Asks for many verdicts over one stream.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "interlock/v1/safety_service.pb.h"

namespace interlock::client {

// Keeps one ArbitrateStream open from call to call. Messages are sent without waiting for the
// answers to those before, so that many actions cost about as much time as one. One thread at a
// time.
class ArbitrateStream {
 public:
  explicit ArbitrateStream(const Client& client);
  ~ArbitrateStream();
  ArbitrateStream(const ArbitrateStream&) = delete;
  ArbitrateStream& operator=(const ArbitrateStream&) = delete;

  // One result for each request, in order: a decision, or why there is none, which is a deny
  // (client/decide.h). They are decided in order, whatever their number. Requests without a
  // request_id get one, and when the stream breaks, those without an answer are sent again on a new
  // one within the deadline (unset: the client's).
  // Errors: as Client::Arbitrate; INTERNAL if the server's answers do not fit the requests. Then no
  // action may be done on the strength of this call.
  absl::StatusOr<std::vector<v1::ArbitrateResult>> Arbitrate(std::vector<v1::ArbitrateRequest> requests,
                                                             const CallOptions& options = {});

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace interlock::client
