// A small store with rows of every table, kept in the tree as it was written once: every version must read it. The rows
// are listed in a text file beside it, one a line: the table's number, the key in hexadecimal, the message as text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/engine/store.h"
#include "google/protobuf/message.h"

namespace interlock::storage {

struct FixtureRow {
  Table table;
  std::string key;
  std::unique_ptr<google::protobuf::Message> value;
};

// An empty message of the kind that `table` holds; null for a table that does not exist.
std::unique_ptr<google::protobuf::Message> MessageOf(Table table);

// Reads such a list. Empty lines and lines that begin with # are passed over. Errors: NOT_FOUND, INVALID_ARGUMENT with
// the line's number.
absl::StatusOr<std::vector<FixtureRow>> ReadFixtureRows(const std::string& path);

// Makes a store of `rows` in the new directory `dir`: the first half in tables, the second half in the write-ahead log;
// also rows that were deleted again. The first row must be the header.
absl::Status WriteFixture(const std::vector<FixtureRow>& rows, const std::string& dir);

}  // namespace interlock::storage
