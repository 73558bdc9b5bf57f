// What the hash of an audit row and the signature of a trailer are made of; proto/interlock/v1/audit.proto has the
// formulas. Pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "interlock/v1/audit.pb.h"

namespace interlock::audit {

// Of hashes and digests.
inline constexpr size_t kHashBytes = 32;

// What the first row of a store follows: zero bytes.
std::string FirstPreviousHash();

// The hash of `row` behind the row of `previous_hash`; what `row` itself holds as its hash does not matter.
std::string HashOf(const v1::AuditRow& row, absl::string_view previous_hash);

// The same into `hash`, which may be what `previous_hash` views. `scratch` is overwritten; neither needs new memory
// when it is used again.
void HashInto(const v1::AuditRow& row, absl::string_view previous_hash, std::string& scratch, std::string& hash);

// Sets the trailer's public_key and signature. REQUIRES: `private_key` has kEd25519KeyBytes; all else is set.
void SignTrailer(absl::string_view private_key, v1::AuditTrailer& trailer);
// Whether the trailer is signed by `public_key` and names it.
bool IsSignedBy(absl::string_view public_key, const v1::AuditTrailer& trailer);

}  // namespace interlock::audit
