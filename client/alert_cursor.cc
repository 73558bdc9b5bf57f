#include "client/alert_cursor.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace interlock::client {
namespace {

bool PassesAll(const v1::SubscribeAlertsRequest& request) {
  return request.tenant_id().empty() && request.has_min_tier() && request.min_tier() == 0 &&
         request.filter().agent_id().empty() && request.filter().types().empty();
}

absl::Status WrongEpoch(absl::string_view found, absl::string_view expected) {
  return absl::FailedPreconditionError(absl::StrCat("the store is another one: its epoch is ", found,
                                                    ", this subscription's is ", expected,
                                                    "; list the alerts and subscribe anew"));
}

absl::Status Gap(int64_t expected, int64_t found) {
  return absl::DataLossError(absl::StrCat("the alert stream has a gap: it goes on after sequence ", found, ", but ",
                                          expected, " is the last that was received"));
}

}  // namespace

AlertCursor::AlertCursor(v1::SubscribeAlertsRequest request)
    : request_(std::move(request)), dense_(PassesAll(request_)) {}

v1::SubscribeAlertsRequest AlertCursor::BeginStream() {
  opened_ = false;
  return request_;
}

absl::Status AlertCursor::Accept(const v1::SubscribeAlertsResponse& message) {
  if (opened_ == message.has_opened()) {
    return absl::InternalError(opened_ ? "the alert stream was opened twice"
                                       : "the alert stream did not begin with Opened");
  }
  switch (message.message_case()) {
    case v1::SubscribeAlertsResponse::kOpened:
      return AcceptOpened(message.opened());
    case v1::SubscribeAlertsResponse::kBatch:
      return AcceptBatch(message.batch());
    case v1::SubscribeAlertsResponse::kBookmark:
      return AcceptBookmark(message.bookmark());
    case v1::SubscribeAlertsResponse::MESSAGE_NOT_SET:
      // A kind of message that this version does not know might hold alerts.
      return absl::DataLossError("the alert stream sent a message of an unknown kind; update the client");
  }
  return absl::InternalError("the alert stream sent a message that cannot be read");
}

absl::Status AlertCursor::AcceptOpened(const v1::Opened& opened) {
  if (!epoch().empty() && opened.epoch() != epoch()) return WrongEpoch(opened.epoch(), epoch());
  const bool resumed = request_.start_case() == v1::SubscribeAlertsRequest::kAfterSequence;
  if (resumed && opened.after_sequence() != sequence()) {
    return Gap(sequence(), opened.after_sequence());
  }
  opened_ = true;
  request_.set_after_sequence(opened.after_sequence());
  request_.set_epoch(opened.epoch());
  previous_sequence_ = opened.after_sequence();
  return absl::OkStatus();
}

absl::Status AlertCursor::AcceptBatch(const v1::AlertBatch& batch) {
  if (batch.alerts().empty()) return absl::InternalError("the alert stream sent an empty batch");
  if (batch.previous_sequence() != previous_sequence_) {
    return Gap(previous_sequence_, batch.previous_sequence());
  }
  int64_t last = sequence();
  for (const v1::Alert& alert : batch.alerts()) {
    if (alert.epoch() != epoch()) return WrongEpoch(alert.epoch(), epoch());
    if (alert.sequence() <= last) {
      return absl::DataLossError(
          absl::StrCat("the alert stream is out of order: sequence ", alert.sequence(), " came after ", last));
    }
    if (dense_ && alert.sequence() != last + 1) return Gap(last, alert.sequence() - 1);
    last = alert.sequence();
  }
  request_.set_after_sequence(last);
  previous_sequence_ = last;
  return absl::OkStatus();
}

absl::Status AlertCursor::AcceptBookmark(const v1::Bookmark& bookmark) {
  if (bookmark.sequence() < sequence()) {
    return absl::DataLossError(
        absl::StrCat("the alert stream went back from sequence ", sequence(), " to ", bookmark.sequence()));
  }
  if (dense_ && bookmark.sequence() != sequence()) return Gap(sequence(), bookmark.sequence());
  request_.set_after_sequence(bookmark.sequence());
  return absl::OkStatus();
}

}  // namespace interlock::client
