// Reads the alert log from the store.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/engine/store.h"
#include "interlock/v1/alert.pb.h"
#include "server/feed/alert_feed.h"

namespace interlock::server {

// Sees an alert and its stored bytes; returns false to stop after it.
using AlertVisitor = std::function<bool(v1::Alert alert, absl::string_view bytes)>;

// Visits the alerts after `after` up to `range.head` in order, at most `rows_max`. Answers the
// sequence of the last one visited (`after` if there was none): everything up to it was seen.
// Errors: those of CheckPosition, also if the log was cut since `range` was taken; DATA_LOSS (a row
// is missing or cannot be read); UNAVAILABLE.
absl::StatusOr<int64_t> ScanAlertLog(const Store& store, const AlertRange& range, int64_t after, int rows_max,
                                     const AlertVisitor& visit);

}  // namespace interlock::server
