// The row that every store begins with: the format it is written in and the epoch that names its
// life.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "interlock/v1/state.pb.h"

namespace interlock::storage {

// The format that this code writes, and the newest that it reads. docs/storage_format.md tells how
// it may change.
inline constexpr int32_t kFormatVersion = 2;

// The key of the only row of Table::kHeader.
std::string HeaderKey();

// The header of a store that begins now.
v1::StoreHeader MakeHeader(absl::string_view epoch);

// The header of a store that can be used, from the bytes of its row. Errors: DATA_LOSS STORE_DAMAGED (no valid header),
// FAILED_PRECONDITION FORMAT_TOO_NEW.
absl::StatusOr<v1::StoreHeader> ReadHeader(absl::string_view bytes);

}  // namespace interlock::storage
