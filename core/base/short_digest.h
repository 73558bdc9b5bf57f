// The first 16 bytes of a SHA-256: so many that no two different inputs are ever met with the same.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace interlock {

struct ShortDigest {
  static constexpr size_t kBytes = 16;

  // Of the first bytes of `digest`; what is missing of a shorter one counts as zeros.
  static ShortDigest Of(absl::string_view digest) {
    ShortDigest result;
    std::memcpy(&result, digest.data(), std::min(digest.size(), kBytes));
    return result;
  }
  // The bytes that Of takes.
  void AppendTo(std::string& bytes) const { bytes.append(reinterpret_cast<const char*>(this), kBytes); }

  // Whether there is none: no digest is all zeros.
  bool empty() const { return high == 0 && low == 0; }

  friend bool operator==(const ShortDigest& a, const ShortDigest& b) { return a.high == b.high && a.low == b.low; }
  template <typename Hash>
  friend Hash AbslHashValue(Hash hash, const ShortDigest& digest) {
    return Hash::combine(std::move(hash), digest.low);
  }

  uint64_t high = 0;
  uint64_t low = 0;
};

static_assert(sizeof(ShortDigest) == ShortDigest::kBytes);

}  // namespace interlock
