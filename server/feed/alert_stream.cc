#include "server/feed/alert_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/serialize.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "server/base/limits.h"
#include "server/feed/alert_log.h"

namespace interlock::server {
namespace {

using ::google::protobuf::internal::WireFormatLite;
using ::google::protobuf::io::CodedOutputStream;

StreamStep MessageStep(StreamMessage message) { return {StreamStep::Kind::kMessage, std::move(message)}; }

// What fits into one message.
class Batch {
 public:
  bool full() const { return events_.size() >= kAlertBatchEventsMax || bytes_ >= kAlertBatchBytesMax; }
  void Add(std::shared_ptr<const AlertEvent> event) {
    bytes_ += event->frame.size();
    events_.push_back(std::move(event));
  }
  const std::vector<std::shared_ptr<const AlertEvent>>& events() const { return events_; }

 private:
  std::vector<std::shared_ptr<const AlertEvent>> events_;
  size_t bytes_ = 0;
};

// The start of a response with a batch: the tag and length of the batch, and its own field. The
// alerts follow as they are, because the fields of a message may stand in any order.
std::string BatchHead(int64_t previous_sequence, size_t frames_bytes) {
  const uint32_t batch_tag = WireFormatLite::MakeTag(v1::SubscribeAlertsResponse::kBatchFieldNumber,
                                                     WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  const uint32_t previous_tag =
      WireFormatLite::MakeTag(v1::AlertBatch::kPreviousSequenceFieldNumber, WireFormatLite::WIRETYPE_VARINT);
  uint8_t field[20];
  uint8_t* field_end = CodedOutputStream::WriteVarint32ToArray(previous_tag, field);
  field_end = CodedOutputStream::WriteVarint64ToArray(static_cast<uint64_t>(previous_sequence), field_end);
  const size_t batch_bytes = static_cast<size_t>(field_end - field) + frames_bytes;
  uint8_t prefix[20];
  uint8_t* prefix_end = CodedOutputStream::WriteVarint32ToArray(batch_tag, prefix);
  prefix_end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(batch_bytes), prefix_end);
  std::string head(prefix, prefix_end);
  head.append(field, field_end);
  return head;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AlertStream>> AlertStream::Open(const v1::SubscribeAlertsRequest& request,
                                                               const AlertFeed& feed, StoreProvider stores) {
  std::unique_ptr<AlertStream> stream(new AlertStream(request, feed, std::move(stores)));
  const AlertRange range = feed.range();
  stream->epoch_ = request.epoch().empty() ? range.epoch : request.epoch();
  stream->position_ = request.has_after_sequence() ? request.after_sequence() : range.head;
  stream->sent_ = stream->position_;
  INTERLOCK_RETURN_IF_ERROR(stream->CheckRange(range));
  return stream;
}

AlertStream::AlertStream(const v1::SubscribeAlertsRequest& request, const AlertFeed& feed, StoreProvider stores)
    : matcher_(request),
      feed_(feed),
      stores_(std::move(stores)),
      bookmark_interval_(request.has_bookmark_interval() ? FromProto(request.bookmark_interval()) : kBookmarkInterval) {
}

absl::StatusOr<StreamStep> AlertStream::Next(absl::Time now) {
  if (!opened_) return OpenedStep(feed_.range(), now);
  for (;;) {
    const AlertFeed::Tail tail = feed_.ReadTail(position_, kAlertBatchEventsMax);
    INTERLOCK_RETURN_IF_ERROR(CheckRange(tail.range));
    if (!tail.held) return StreamStep{StreamStep::Kind::kBehind, {}};
    Batch batch;
    for (const std::shared_ptr<const AlertEvent>& event : tail.events) {
      if (batch.full()) break;
      position_ = event->alert.sequence();
      if (matcher_.Matches(event->alert)) batch.Add(event);
    }
    if (!batch.events().empty()) return BatchStep(batch.events(), now);
    if (position_ == tail.range.head) {
      return now >= bookmark_time_ ? BookmarkStep(tail.range, now) : StreamStep{};
    }
  }
}

absl::StatusOr<StreamStep> AlertStream::ReadOn(absl::Time now) {
  const std::shared_ptr<const Store> store = stores_();
  if (store == nullptr) {
    return MakeError(absl::StatusCode::kUnavailable, "NOT_SERVING",
                     "the store is being opened; subscribe again after the last sequence received");
  }
  const AlertRange range = feed_.range();
  INTERLOCK_RETURN_IF_ERROR(CheckRange(range));
  Batch batch;
  INTERLOCK_ASSIGN_OR_RETURN(
      position_, ScanAlertLog(*store, range, position_, kCatchUpRowsMax, [&](v1::Alert alert, absl::string_view bytes) {
        if (matcher_.Matches(alert)) batch.Add(MakeAlertEvent(std::move(alert), bytes));
        return !batch.full();
      }));
  if (!batch.events().empty()) return BatchStep(batch.events(), now);
  if (now >= bookmark_time_) return BookmarkStep(range, now);
  return StreamStep{StreamStep::Kind::kBehind, {}};
}

absl::Status AlertStream::CheckRange(const AlertRange& range) const {
  if (epoch_ != range.epoch) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "EPOCH_MISMATCH",
                     absl::StrCat("the store's epoch is ", range.epoch,
                                  ", so it was restored or made anew and its sequences are others; start again without "
                                  "after_sequence and epoch, or from the oldest sequence that ListAlerts answers"),
                     {{"epoch", range.epoch}});
  }
  return CheckPosition(range, position_);
}

StreamStep AlertStream::OpenedStep(const AlertRange& range, absl::Time now) {
  opened_ = true;
  bookmark_time_ = now + bookmark_interval_;
  v1::SubscribeAlertsResponse response;
  v1::Opened& opened = *response.mutable_opened();
  opened.set_epoch(epoch_);
  opened.set_after_sequence(position_);
  opened.set_head_sequence(range.head);
  opened.set_oldest_sequence(range.oldest);
  return MessageStep({Serialize(response), {}});
}

StreamStep AlertStream::BatchStep(const Events& events, absl::Time now) {
  StreamMessage message;
  size_t frames_bytes = 0;
  for (const std::shared_ptr<const AlertEvent>& event : events) {
    frames_bytes += event->frame.size();
    // Shares the event's life.
    message.body.emplace_back(event, &event->frame);
  }
  message.head = BatchHead(sent_, frames_bytes);
  sent_ = events.back()->alert.sequence();
  bookmark_time_ = now + bookmark_interval_;
  return MessageStep(std::move(message));
}

StreamStep AlertStream::BookmarkStep(const AlertRange& range, absl::Time now) {
  bookmark_time_ = now + bookmark_interval_;
  v1::SubscribeAlertsResponse response;
  v1::Bookmark& bookmark = *response.mutable_bookmark();
  bookmark.set_sequence(position_);
  bookmark.set_head_sequence(range.head);
  bookmark.set_oldest_sequence(range.oldest);
  *bookmark.mutable_server_time() = ToProto(now);
  return MessageStep({Serialize(response), {}});
}

}  // namespace interlock::server
