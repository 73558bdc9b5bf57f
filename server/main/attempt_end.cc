#include "server/main/attempt_end.h"

#include <memory>
#include <utility>

#include "core/engine/engine.h"
#include "interlock/v1/principal.pb.h"
#include "server/sequencer/work.h"

namespace interlock::server {
namespace {

v1::Principal Executor() {
  v1::Principal principal;
  principal.set_kind(v1::PRINCIPAL_KIND_SERVICE);
  principal.set_id("executor");
  return principal;
}

// Owns itself while it is with the sequencer.
class AttemptEnd final : public Work {
 public:
  explicit AttemptEnd(schedule::AttemptResult result) : caller_(Executor()), result_(std::move(result)) {}

  size_t SizeBytes() const override {
    return sizeof(*this) + result_.error_message.size() + result_.sealed_secret.size();
  }
  // An end that comes too late is refused by its lease, and nobody waits for the answer.
  void Apply(Engine& engine, absl::Time now, Effects& effects) override {
    engine.Apply(result_, CommandContext{caller_, now}, effects).IgnoreError();
  }
  void Release() override { delete this; }
  void Fail(const absl::Status&) override { delete this; }

 private:
  const v1::Principal caller_;
  const schedule::AttemptResult result_;
};

}  // namespace

void SubmitAttemptEnd(Sequencer& sequencer, schedule::AttemptResult result) {
  auto work = std::make_unique<AttemptEnd>(std::move(result));
  AttemptEnd& submitted = *work.release();
  if (!sequencer.SubmitOwn(submitted).ok()) delete &submitted;
}

}  // namespace interlock::server
