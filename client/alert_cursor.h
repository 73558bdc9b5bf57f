// Proves that an alert stream is without a gap. Pure: no connection, no time.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "interlock/v1/alert_service.pb.h"

namespace interlock::client {

// Follows one subscription over as many streams as it takes. Thread-compatible.
class AlertCursor {
 public:
  // `request` says where the first stream starts and what passes.
  explicit AlertCursor(v1::SubscribeAlertsRequest request);

  // Begins a stream: the request that continues after all that was accepted, in its epoch.
  v1::SubscribeAlertsRequest BeginStream();

  // Checks the next message of the stream. On OK its alerts follow those before without a gap, in
  // order and each once.
  // Errors: DATA_LOSS (alerts are missing, repeated or out of order), FAILED_PRECONDITION (the
  // stream belongs to another life of the store), INTERNAL (it is not an alert stream).
  absl::Status Accept(const v1::SubscribeAlertsResponse& message);

  // Every alert up to here that passes the filter was accepted; 0 and "" before the first stream
  // has opened, unless the request gave them.
  int64_t sequence() const { return request_.after_sequence(); }
  const std::string& epoch() const { return request_.epoch(); }

 private:
  absl::Status AcceptOpened(const v1::Opened& opened);
  absl::Status AcceptBatch(const v1::AlertBatch& batch);
  absl::Status AcceptBookmark(const v1::Bookmark& bookmark);

  // What would be asked for now; its start and epoch are the position.
  v1::SubscribeAlertsRequest request_;
  // Nothing is filtered out, so that sequences must be dense.
  const bool dense_;
  bool opened_ = false;
  // What the next batch of this stream must name as its predecessor.
  int64_t previous_sequence_ = 0;
};

}  // namespace interlock::client
