// One subscription to the alert log. It owns a position in the log and never a queue.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/engine/store.h"
#include "interlock/v1/alert_service.pb.h"
#include "server/feed/alert_feed.h"
#include "server/feed/alert_matcher.h"
#include "server/feed/feed_stream.h"

namespace interlock::server {

// Answers the store that is open at the moment; null if none is. Thread-safe.
using StoreProvider = std::function<std::shared_ptr<const Store>()>;

// Sends SubscribeAlertsResponse: Opened, then batches and bookmarks.
class AlertStream final : public FeedStream {
 public:
  // `feed` must outlive the stream; `request` must have passed server/validate.
  // Errors: FAILED_PRECONDITION (EPOCH_MISMATCH, SEQUENCE_AHEAD), OUT_OF_RANGE (SEQUENCE_EXPIRED).
  static absl::StatusOr<std::unique_ptr<AlertStream>> Open(const v1::SubscribeAlertsRequest& request,
                                                           const AlertFeed& feed, StoreProvider stores);

  // Errors: as Open (the store was opened again, or the log cut faster than it was read); those of
  // ScanAlertLog; UNAVAILABLE (no store is open).
  absl::StatusOr<StreamStep> Next(absl::Time now) override;
  absl::StatusOr<StreamStep> ReadOn(absl::Time now) override;
  absl::Time WakeTime() const override { return bookmark_time_; }

 private:
  AlertStream(const v1::SubscribeAlertsRequest& request, const AlertFeed& feed, StoreProvider stores);

  using Events = std::vector<std::shared_ptr<const AlertEvent>>;

  absl::Status CheckRange(const AlertRange& range) const;
  StreamStep OpenedStep(const AlertRange& range, absl::Time now);
  StreamStep BatchStep(const Events& events, absl::Time now);
  StreamStep BookmarkStep(const AlertRange& range, absl::Time now);

  const AlertMatcher matcher_;
  const AlertFeed& feed_;
  const StoreProvider stores_;
  absl::Duration bookmark_interval_;
  std::string epoch_;
  bool opened_ = false;
  // Everything up to here was sent or does not match.
  int64_t position_ = 0;
  // The newest alert that was sent; before the first, where the stream began.
  int64_t sent_ = 0;
  absl::Time bookmark_time_ = absl::InfiniteFuture();
};

}  // namespace interlock::server
