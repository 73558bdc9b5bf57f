// How a load reads rows. Private to core/engine.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/error.h"
#include "core/engine/keys.h"
#include "core/engine/store.h"

namespace interlock {

// DATA_LOSS: the row of `key` is not as it was written.
inline absl::Status Damaged(Table table, absl::string_view key, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "ROW_DAMAGED",
                   absl::StrCat("table ", static_cast<int>(table), ", key ", absl::BytesToHexString(key), ": ", what,
                                "; restore the data directory from a backup"));
}

// Visits every row of `range` as a message, in one message that is used again and again. Errors: DATA_LOSS (a row
// cannot be read), those of `visit`, and those of the store.
template <typename Message>
absl::Status ForEachRow(const Store& store, const ScanRange& range,
                        const std::function<absl::Status(absl::string_view key, Message& message)>& visit) {
  absl::Status result;
  Message message;
  const absl::Status scanned = store.Scan(range, [&](absl::string_view key, absl::string_view value) {
    if (!message.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      result = Damaged(range.table, key, "the row cannot be read");
      return false;
    }
    result = visit(key, message);
    return result.ok();
  });
  return scanned.ok() ? result : scanned;
}

// The first row of `range` as a message, with its key; NOT_FOUND if there is none.
template <typename Message>
absl::StatusOr<std::pair<std::string, Message>> ReadFirst(const Store& store, const ScanRange& range) {
  absl::StatusOr<std::pair<std::string, Message>> first = absl::NotFoundError("no row");
  const absl::Status scanned = store.Scan(range, [&](absl::string_view key, absl::string_view value) {
    first = std::make_pair(std::string(key), Message());
    if (!first->second.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      first = Damaged(range.table, key, "the row cannot be read");
    }
    return false;
  });
  if (!scanned.ok()) return scanned;
  return first;
}

// The rows whose keys begin with `prefix`.
inline ScanRange WithPrefix(Table table, const std::string& prefix, bool reverse = false) {
  return {table, prefix, keys::PrefixEnd(prefix), reverse};
}

// One row; the message as it is by default if there is none.
template <typename Message>
absl::StatusOr<Message> ReadRow(const Store& store, Table table, const std::string& key) {
  Message message;
  const absl::StatusOr<std::string> value = store.Get(table, key);
  if (absl::IsNotFound(value.status())) return message;
  if (!value.ok()) return value.status();
  if (!message.ParseFromString(*value)) return Damaged(table, key, "the row cannot be read");
  return message;
}

}  // namespace interlock
