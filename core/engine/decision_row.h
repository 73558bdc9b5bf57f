// A decision as its row in Table::kDecision keeps it: without what the row's key says, and without what follows from
// the rest. Rows of format 1 lack nothing and are read by the same functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "interlock/v1/decision.pb.h"

namespace interlock {

// What a row keeps of the call that it answered; empty if the call had no request_id.
struct RequestStamp {
  std::string request_id;
  // The first kRequestDigestBytes of the SHA-256 of the request.
  std::string digest;
};

// Two different requests under one request_id are told apart by so much of their digests.
inline constexpr size_t kRequestDigestBytes = 16;

// The row of `decision`, which is complete and was not replayed. It is the same afterwards; it is changed meanwhile,
// because that is cheaper than a copy.
std::string CompactDecision(const RequestStamp& request, v1::Decision& decision);

// The decision that `row` stands for under `key`, as it was answered; the stamp of its call goes to `request` unless
// that is null. False if the row or the key cannot be read.
bool ExpandDecision(absl::string_view key, absl::string_view row, v1::Decision& decision,
                    RequestStamp* request = nullptr);

// What lists are filtered by, read without the rest of the row.
struct DecisionGlance {
  v1::Verdict verdict = v1::VERDICT_UNSPECIFIED;
  // Lives as long as the row.
  absl::string_view agent_id;
};

// False if the row cannot be read.
bool GlanceAtDecision(absl::string_view row, DecisionGlance& glance);

}  // namespace interlock
