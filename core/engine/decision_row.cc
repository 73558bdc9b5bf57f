#include "core/engine/decision_row.h"

#include <cstdint>
#include <utility>

#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/engine/keys.h"
#include "core/safety/reason_text.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace interlock {
namespace {

using google::protobuf::internal::WireFormatLite;

// Nothing speaks against most actions. No decision has a confidence of 0, so that it can stand for this.
constexpr double kUsualConfidence = 1.0;

// Puts back what CompactDecision left out, except for the tenant and the sequence.
void FillIn(v1::Decision& decision) {
  if (decision.decision_id().empty()) decision.set_decision_id(MakeId("decision", decision.sequence()));
  if (decision.confidence() == 0) decision.set_confidence(kUsualConfidence);
  for (v1::Reason& reason : *decision.mutable_reasons()) {
    if (!reason.text().empty()) continue;
    const absl::string_view text = safety::FixedText(reason.code());
    reason.set_text(text.data(), text.size());
  }
}

}  // namespace

std::string CompactDecision(const RequestStamp& request, v1::Decision& decision) {
  const int64_t sequence = decision.sequence();
  std::string tenant_id = std::move(*decision.mutable_tenant_id());
  decision.clear_tenant_id();
  decision.clear_sequence();
  decision.clear_decision_id();
  if (decision.confidence() == kUsualConfidence) decision.clear_confidence();
  for (v1::Reason& reason : *decision.mutable_reasons()) {
    if (reason.text() == safety::FixedText(reason.code())) reason.clear_text();
  }
  decision.set_request_id(request.request_id);
  decision.set_request_digest(request.digest);
  std::string row = Serialize(decision);
  decision.clear_request_id();
  decision.clear_request_digest();
  decision.set_sequence(sequence);
  decision.set_tenant_id(std::move(tenant_id));
  FillIn(decision);
  return row;
}

bool ExpandDecision(absl::string_view key, absl::string_view row, v1::Decision& decision, RequestStamp* request) {
  const int64_t sequence = keys::LastNumber(key);
  if (sequence < 0 || !decision.ParseFromArray(row.data(), static_cast<int>(row.size()))) return false;
  const absl::string_view tenant_id = keys::FirstString(key);
  decision.set_tenant_id(tenant_id.data(), tenant_id.size());
  decision.set_sequence(sequence);
  FillIn(decision);
  if (request != nullptr) {
    request->request_id = std::move(*decision.mutable_request_id());
    request->digest = std::move(*decision.mutable_request_digest());
  }
  decision.clear_request_id();
  decision.clear_request_digest();
  return true;
}

bool GlanceAtDecision(absl::string_view row, DecisionGlance& glance) {
  const auto* begin = reinterpret_cast<const uint8_t*>(row.data());
  google::protobuf::io::CodedInputStream input(begin, static_cast<int>(row.size()));
  for (uint32_t tag = input.ReadTag(); tag != 0; tag = input.ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    const auto type = WireFormatLite::GetTagWireType(tag);
    if (field == v1::Decision::kVerdictFieldNumber && type == WireFormatLite::WIRETYPE_VARINT) {
      uint32_t verdict = 0;
      if (!input.ReadVarint32(&verdict)) return false;
      glance.verdict = static_cast<v1::Verdict>(verdict);
    } else if (field == v1::Decision::kAgentIdFieldNumber && type == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      uint32_t length = 0;
      if (!input.ReadVarint32(&length)) return false;
      glance.agent_id = row.substr(static_cast<size_t>(input.CurrentPosition())).substr(0, length);
      if (glance.agent_id.size() != length || !input.Skip(static_cast<int>(length))) return false;
    } else if (!WireFormatLite::SkipField(&input, tag)) {
      return false;
    }
  }
  return input.CurrentPosition() == static_cast<int>(row.size());
}

}  // namespace interlock
