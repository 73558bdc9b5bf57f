// ExportAuditLog: a stream of the rows of the audit log as they are, and of the signed trailer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/engine/store.h"
#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/audit.pb.h"
#include "server/feed/feed_stream.h"
#include "server/secrets/secret_key.h"

namespace interlock::server {

class AuditExport final : public FeedStream {
 public:
  // The store, or null while it is being opened.
  using StoreSource = std::function<std::shared_ptr<const Store>()>;

  // `key` signs the trailer and must outlive the stream.
  AuditExport(v1::ExportAuditLogRequest request, StoreSource store, const SecretKey& key)
      : request_(std::move(request)), store_(std::move(store)), key_(key) {}

  absl::StatusOr<StreamStep> Next(absl::Time now) override;
  // Errors: OUT_OF_RANGE (SEQUENCE_EXPIRED, SEQUENCE_AHEAD), DATA_LOSS, UNAVAILABLE.
  absl::StatusOr<StreamStep> ReadOn(absl::Time now) override;
  absl::Time WakeTime() const override { return absl::InfiniteFuture(); }

 private:
  absl::Status Begin(const Store& store);
  // The next rows in the bytes of a message.
  absl::StatusOr<std::string> ReadRows(const Store& store);
  absl::Status MissingRow(const Store& store) const;
  v1::AuditTrailer MakeTrailer(absl::Time now) const;

  const v1::ExportAuditLogRequest request_;
  const StoreSource store_;
  const SecretKey& key_;
  bool has_begun_ = false;
  bool has_ended_ = false;
  std::string epoch_;
  std::string previous_hash_;
  int64_t first_ = 0;
  int64_t last_ = 0;
  // The newest row that was sent, or the one before the first, and its hash.
  int64_t sent_ = 0;
  std::string sent_hash_;
};

}  // namespace interlock::server
