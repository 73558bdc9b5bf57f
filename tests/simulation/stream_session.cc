#include "tests/simulation/stream_session.h"

#include <utility>

#include "server/feed/stream_message.h"

namespace interlock::simulation {

StreamSession::StreamSession(Sim& sim, server::StreamHub& hub, std::unique_ptr<server::FeedStream> stream,
                             Client client, std::function<void()> wake_streams)
    : sim_(sim),
      hub_(hub),
      stream_(std::move(stream)),
      client_(std::move(client)),
      wake_streams_(std::move(wake_streams)) {}

void StreamSession::Begin() {
  if (const absl::Status status = hub_.Join(shared_from_this()); !status.ok()) return Cut(status);
  Pump();
}

void StreamSession::Cut(const absl::Status& status) {
  if (!open()) return;
  stream_ = nullptr;
  hub_.Leave(shared_from_this());
  client_.on_end(status);
}

void StreamSession::Resume() {
  if (!std::exchange(woken_, false)) return;
  sim_.timeline.After(absl::ZeroDuration(), [self = shared_from_this()] { self->Pump(); });
}

void StreamSession::Pump() {
  if (!open()) return;
  const uint64_t notifications = hub_.notifications();
  Handle(stream_->Next(sim_.clock.TimeNow()), notifications);
}

void StreamSession::Handle(const absl::StatusOr<server::StreamStep>& step, uint64_t notifications) {
  if (!step.ok()) return Cut(step.status());
  const auto self = shared_from_this();
  switch (step->kind) {
    case server::StreamStep::Kind::kMessage:
      sim_.timeline.After(client_.pause, [self, bytes = server::Flatten(step->message)] {
        if (!self->open()) return;
        self->client_.on_message(bytes);
        self->Pump();
      });
      return;
    case server::StreamStep::Kind::kIdle: {
      const absl::Time wake_time = stream_->WakeTime();
      if (!hub_.Park(self, notifications, wake_time)) {
        Wake();
        return Resume();
      }
      if (wake_time == absl::InfiniteFuture()) return;
      sim_.timeline.At(sim_.clock.WhenShowing(wake_time), [self] {
        if (self->open()) self->wake_streams_();
      });
      return;
    }
    case server::StreamStep::Kind::kBehind:
      sim_.timeline.After(sim_.random.Between(absl::Microseconds(50), absl::Milliseconds(2)), [self] {
        if (self->open()) self->ReadOn();
      });
      return;
    case server::StreamStep::Kind::kEnd:
      return Cut(absl::OkStatus());
  }
}

void StreamSession::ReadOn() {
  sim_.coverage.Count("stream", "batch from the store");
  const absl::StatusOr<server::StreamStep> step = stream_->ReadOn(sim_.clock.TimeNow());
  // It got on, but has nothing to send yet.
  if (step.ok() && step->kind != server::StreamStep::Kind::kMessage) return Pump();
  Handle(step, hub_.notifications());
}

}  // namespace interlock::simulation
