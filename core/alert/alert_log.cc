#include "core/alert/alert_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"

namespace interlock::alert {
namespace {

// So many groups at least make up a full log.
constexpr int64_t kGroupsPerLog = 1000;

int64_t MinuteOf(absl::Time time) { return absl::ToInt64Minutes(time - absl::UnixEpoch()); }

absl::Status AlertLogInvalid(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "ALERT_LOG_INVALID",
                   absl::StrCat("the stored alert log ", what, "; restore a backup"));
}

}  // namespace

absl::Status AlertLog::LoadRow(int64_t sequence, absl::Time create_time, int64_t bytes) {
  if (sequence < 1) return AlertLogInvalid(absl::StrCat("has an alert with sequence ", sequence));
  if (groups_.empty()) {
    oldest_ = sequence;
    head_ = sequence - 1;
  }
  if (sequence != head_ + 1) return AlertLogInvalid(absl::StrCat("goes from sequence ", head_, " to ", sequence));
  Append(bytes, create_time);
  return absl::OkStatus();
}

absl::Status AlertLog::FinishLoad(int64_t oldest, int64_t head) {
  if (groups_.empty() && head >= 0 && oldest == head + 1) {
    oldest_ = oldest;
    head_ = head;
  }
  if (oldest_ == oldest && head_ == head) return absl::OkStatus();
  return AlertLogInvalid(
      absl::StrCat("holds sequences ", oldest_, " to ", head_, ", but its counters say ", oldest, " to ", head));
}

int64_t AlertLog::Append(int64_t bytes, absl::Time create_time) {
  ++head_;
  bytes_ += bytes;
  if (!groups_.empty() && MinuteOf(groups_.back().newest_time) == MinuteOf(create_time) &&
      groups_.back().bytes + bytes <= bytes_max_ / kGroupsPerLog) {
    Group& group = groups_.back();
    group.end_sequence = head_ + 1;
    group.newest_time = std::max(group.newest_time, create_time);
    group.bytes += bytes;
  } else {
    groups_.push_back({head_ + 1, create_time, bytes});
  }
  return head_;
}

absl::optional<int64_t> AlertLog::CutBefore(absl::Time now) {
  const int64_t oldest_before = oldest_;
  while (NextCutTime() <= now) {
    oldest_ = groups_.front().end_sequence;
    bytes_ -= groups_.front().bytes;
    groups_.pop_front();
  }
  return oldest_ == oldest_before ? absl::nullopt : absl::make_optional(oldest_);
}

absl::Time AlertLog::NextCutTime() const {
  if (bytes_ > bytes_max_) return absl::InfinitePast();
  return groups_.empty() ? absl::InfiniteFuture() : groups_.front().newest_time + retention_;
}

}  // namespace interlock::alert
