// Makes stores as large as a busy server's, through the engine itself, and tells what they weigh.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace interlock::bench {

struct Fill {
  int64_t decisions = 0;
  // Who acts, in turn; at most as many as a tenant may have.
  int agents = 100000;
  // Whether each of them also reports once.
  bool with_reports = true;
  // Locks in force, each over an agent that does not act.
  int locks = 0;
  // The decisions lie evenly between `end - span` and `end`.
  absl::Time end = {};
  absl::Duration span = {};
  // Whether each decision is remembered by a request id.
  bool with_request_ids = false;
};

struct FillResult {
  // Keys and values of all rows that were put.
  int64_t row_bytes = 0;
  // What the store wrote for them to whatever file, write-ahead logs and compactions included.
  int64_t written_bytes = 0;
};

// Makes a store in `directory`, of kTenant under a policy without limits. One decision in a hundred is DENY. The store
// is left as kill -9 leaves it: what is not in a table yet is in the write-ahead log. A failure ends the program.
FillResult FillStore(const std::string& directory, const Fill& fill);

struct StoreWeight {
  // Of all tables of the store.
  int64_t table_bytes = 0;
  // Of the part of them that holds decisions.
  int64_t decision_bytes = 0;
};

// Compacts the store in `directory` and weighs it.
StoreWeight CompactStore(const std::string& directory);

}  // namespace interlock::bench
