// Reads one SubscribeAlerts stream, alert by alert, and holds each message against what the stream promises.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/alert_service.pb.h"
#include "tests/support/api.h"

namespace interlock::support {

// One thread may read; Cancel may come from any other.
class AlertReader {
 public:
  AlertReader(const Api& api, const v1::SubscribeAlertsRequest& request);
  // Cancels.
  ~AlertReader();
  AlertReader(const AlertReader&) = delete;
  AlertReader& operator=(const AlertReader&) = delete;

  // The first message of the stream; nullopt if it ended without one.
  const absl::optional<v1::Opened>& opened() const { return opened_; }

  // The next alert, passing over bookmarks; nullopt when the stream has ended.
  absl::optional<v1::Alert> Next();
  // The next bookmark, dropping alerts before it; nullopt when the stream has ended.
  absl::optional<v1::Bookmark> NextBookmark();
  // All alerts up to `sequence` that have not been read yet; fewer when the stream has ended. Reads until an alert or a
  // bookmark shows that the stream has come so far.
  std::vector<v1::Alert> ReadUpTo(int64_t sequence);

  // Of the newest alert; before the first, where the stream began.
  int64_t previous_sequence() const { return previous_sequence_; }
  // What was wrong with the messages so far: a gap, a wrong order, an empty batch. Empty: nothing.
  const std::string& fault() const { return fault_; }

  void Cancel() { context_.TryCancel(); }
  // How the stream ended, after dropping what was not read.
  grpc::Status Finish();

 private:
  // Takes in one message; false when the stream has ended.
  bool Read();
  void TakeBatch(const v1::AlertBatch& batch);
  void Fault(const std::string& what);

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::SubscribeAlertsResponse>> reader_;
  absl::optional<v1::Opened> opened_;
  absl::optional<v1::Bookmark> bookmark_;
  // Read from the stream, but not yet handed out.
  std::deque<v1::Alert> alerts_;
  int64_t previous_sequence_ = 0;
  std::string fault_;
};

}  // namespace interlock::support
