#include "tests/support/alert_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace interlock::support {

AlertReader::AlertReader(const Api& api, const v1::SubscribeAlertsRequest& request) {
  api.Prepare(context_);
  reader_ = api.stub<Alerts>().SubscribeAlerts(&context_, request);
  v1::SubscribeAlertsResponse response;
  if (!reader_->Read(&response)) return;
  if (!response.has_opened()) Fault("the first message is not Opened");
  opened_ = response.opened();
  previous_sequence_ = opened_->after_sequence();
}

AlertReader::~AlertReader() { Cancel(); }

absl::optional<v1::Alert> AlertReader::Next() {
  while (alerts_.empty()) {
    if (!Read()) return absl::nullopt;
  }
  v1::Alert alert = std::move(alerts_.front());
  alerts_.pop_front();
  return alert;
}

absl::optional<v1::Bookmark> AlertReader::NextBookmark() {
  bookmark_.reset();
  while (!bookmark_.has_value()) {
    if (!Read()) return absl::nullopt;
  }
  alerts_.clear();
  return bookmark_;
}

std::vector<v1::Alert> AlertReader::ReadUpTo(int64_t sequence) {
  while (std::max(previous_sequence_, bookmark_.has_value() ? bookmark_->sequence() : 0) < sequence && Read()) {
  }
  std::vector<v1::Alert> alerts(alerts_.begin(), alerts_.end());
  alerts_.clear();
  return alerts;
}

grpc::Status AlertReader::Finish() {
  v1::SubscribeAlertsResponse response;
  while (reader_->Read(&response)) {
  }
  return reader_->Finish();
}

bool AlertReader::Read() {
  v1::SubscribeAlertsResponse response;
  if (!reader_->Read(&response)) return false;
  switch (response.message_case()) {
    case v1::SubscribeAlertsResponse::kBatch:
      TakeBatch(response.batch());
      break;
    case v1::SubscribeAlertsResponse::kBookmark:
      bookmark_ = response.bookmark();
      if (bookmark_->sequence() < previous_sequence_) Fault("a bookmark goes back");
      break;
    default:
      Fault("a message is neither batch nor bookmark");
  }
  return true;
}

void AlertReader::TakeBatch(const v1::AlertBatch& batch) {
  if (batch.alerts().empty()) Fault("a batch is empty");
  if (batch.previous_sequence() != previous_sequence_) {
    Fault(absl::StrCat("a batch follows ", batch.previous_sequence(), ", but ", previous_sequence_, " was read last"));
  }
  for (const v1::Alert& alert : batch.alerts()) {
    if (alert.sequence() <= previous_sequence_) {
      Fault(absl::StrCat(alert.sequence(), " comes after ", previous_sequence_));
    }
    previous_sequence_ = alert.sequence();
    alerts_.push_back(alert);
  }
}

void AlertReader::Fault(const std::string& what) {
  if (fault_.empty()) fault_ = what;
}

}  // namespace interlock::support
