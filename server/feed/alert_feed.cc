#include "server/feed/alert_feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/serialize.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "interlock/v1/alert_service.pb.h"

namespace interlock::server {
namespace {

using ::google::protobuf::internal::WireFormatLite;
using ::google::protobuf::io::CodedOutputStream;

}  // namespace

absl::Status CheckPosition(const AlertRange& range, int64_t after) {
  if (after > range.head) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "SEQUENCE_AHEAD",
                     absl::StrCat("the log ends at sequence ", range.head, ", before ", after,
                                  "; this is another store or an older state of it: start from a sequence that "
                                  "ListAlerts answers"),
                     {{"head_sequence", absl::StrCat(range.head)}});
  }
  if (after + 1 < range.oldest) {
    const int64_t lost_count = range.oldest - 1 - after;
    return MakeError(absl::StatusCode::kOutOfRange, "SEQUENCE_EXPIRED",
                     absl::StrCat("the log was cut: the ", lost_count, " alerts after sequence ", after,
                                  " are gone; start after sequence ", range.oldest - 1),
                     {{"oldest_sequence", absl::StrCat(range.oldest)}, {"lost_count", absl::StrCat(lost_count)}});
  }
  return absl::OkStatus();
}

std::shared_ptr<const AlertEvent> MakeAlertEvent(v1::Alert alert, absl::string_view bytes) {
  auto event = std::make_shared<AlertEvent>();
  event->alert = std::move(alert);
  const uint32_t tag =
      WireFormatLite::MakeTag(v1::AlertBatch::kAlertsFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  uint8_t prefix[20];
  uint8_t* end = CodedOutputStream::WriteVarint32ToArray(tag, prefix);
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(bytes.size()), end);
  event->frame.assign(prefix, end);
  event->frame.append(bytes.data(), bytes.size());
  return event;
}

void AlertFeed::Reset(const AlertRange& range) {
  MutexLock lock(mutex_);
  range_ = range;
  ring_.clear();
}

void AlertFeed::Publish(const std::vector<v1::Alert>& alerts, int64_t oldest) {
  std::vector<std::shared_ptr<const AlertEvent>> events;
  for (const v1::Alert& alert : alerts) events.push_back(MakeAlertEvent(alert, Serialize(alert)));
  MutexLock lock(mutex_);
  range_.oldest = oldest;
  for (std::shared_ptr<const AlertEvent>& event : events) {
    INTERLOCK_CHECK(event->alert.sequence() == range_.head + 1);
    ++range_.head;
    ring_.push_back(std::move(event));
    if (ring_.size() > ring_max_) ring_.pop_front();
  }
}

AlertRange AlertFeed::range() const {
  MutexLock lock(mutex_);
  return range_;
}

AlertFeed::Tail AlertFeed::ReadTail(int64_t after, size_t events_max) const {
  Tail tail;
  MutexLock lock(mutex_);
  tail.range = range_;
  const int64_t ring_begin = range_.head - static_cast<int64_t>(ring_.size());
  tail.held = after >= ring_begin && after <= range_.head;
  if (!tail.held) return tail;
  const auto first = static_cast<size_t>(after - ring_begin);
  const size_t count = std::min(ring_.size() - first, events_max);
  const auto begin = ring_.begin() + static_cast<std::ptrdiff_t>(first);
  tail.events.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  return tail;
}

}  // namespace interlock::server
