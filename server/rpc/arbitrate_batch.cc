#include "server/rpc/arbitrate_batch.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/error.h"
#include "core/engine/engine.h"
#include "server/rpc/encode.h"
#include "server/validate/validate.h"

namespace interlock::server {

ArbitrateBatch::ArbitrateBatch(const v1::Principal& caller, std::function<void()> done)
    : caller_(caller), done_(std::move(done)) {}

bool ArbitrateBatch::Admit() {
  size_bytes_ = request_->ByteSizeLong();
  for (int i = 0; i < request_->requests_size(); ++i) {
    response_.add_results();
    const absl::Status status = Validate(request_->requests(i));
    if (status.ok()) {
      valid_.push_back(i);
    } else {
      SetError(i, status);
    }
  }
  if (valid_.empty()) EncodeResponse();
  return !valid_.empty();
}

void ArbitrateBatch::Apply(Engine& engine, absl::Time now, Effects& effects) {
  for (const int i : valid_) {
    absl::StatusOr<v1::Decision> decision = engine.Apply(request_->requests(i), {caller_, now}, effects);
    if (decision.ok()) {
      *response_.mutable_results(i)->mutable_decision() = *std::move(decision);
    } else {
      SetError(i, decision.status());
    }
  }
  EncodeResponse();
}

void ArbitrateBatch::Release() {
  // A copy, because it may end this object and with it what it is made of.
  const std::function<void()> done = done_;
  done();
}

void ArbitrateBatch::Fail(const absl::Status& status) {
  for (const int i : valid_) SetError(i, status);
  EncodeResponse();
  Release();
}

void ArbitrateBatch::SetError(int index, const absl::Status& status) {
  v1::ArbitrateError& error = *response_.mutable_results(index)->mutable_error();
  error.set_code(static_cast<int>(status.code()));
  error.set_reason(ErrorReason(status));
  error.set_message(std::string(status.message()));
}

void ArbitrateBatch::EncodeResponse() {
  response_bytes_ = Encode(response_);
  for (const int i : valid_) response_.mutable_results(i)->clear_decision();
}

}  // namespace interlock::server
