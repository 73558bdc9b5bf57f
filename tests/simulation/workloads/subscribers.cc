#include "tests/simulation/workloads/subscribers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "client/error.h"
#include "core/base/serialize.h"
#include "core/base/time.h"

namespace interlock::simulation {

// One subscription over as many streams as it takes.
class Subscribers::Subscriber {
 public:
  Subscriber(Subscribers& owner, v1::SubscribeAlertsRequest request, absl::Duration pause)
      : owner_(owner), wanted_(request), pause_(pause), cursor_(std::move(request)) {}

  void Connect() {
    absl::Status status;
    StreamSession::Client client;
    client.pause = pause_;
    client.on_message = [this](const std::string& bytes) { OnMessage(bytes); };
    client.on_end = [this](const absl::Status& end) { OnEnd(end); };
    const v1::SubscribeAlertsRequest request = cursor_->BeginStream();
    owner_.sim_.coverage.Count("command", "SubscribeAlerts");
    session_ = owner_.server_.Subscribe(request, std::move(client), status);
    if (session_ == nullptr) return OnEnd(status);
    WatchSilence();
  }

  // The stream breaks, and the subscriber does not come back before `away` has passed.
  void Cut(absl::Duration away = absl::ZeroDuration()) {
    away_ = away;
    if (session_ != nullptr) session_->Cut(absl::UnavailableError("the connection was cut"));
  }

  // Whether it knows all that there is.
  bool is_at_head() const { return opened_ && cursor_->sequence() == Head(); }

  // What was missed among all that passes the filter.
  void CheckComplete() {
    if (!is_at_head()) {
      Fail("stops at alert ", cursor_->sequence(), " of ", Head());
    }
  }

 private:
  // A stream that sends nothing for so long, not even bookmarks, is taken for dead: a server whose clock was set back
  // may be silent for long.
  void WatchSilence() {
    const absl::Duration silence_max = 3 * FromProto(wanted_.bookmark_interval()) + pause_;
    owner_.sim_.timeline.After(silence_max, [this, id = ++messages_] {
      if (id == messages_) Cut();
    });
  }

  int64_t Head() const { return static_cast<int64_t>(owner_.alerts_.alerts().size()); }

  template <typename... Parts>
  void Fail(const Parts&... parts) {
    owner_.sim_.trace.Fail("stream-gap-free", "the subscription of \"", wanted_.tenant_id(), "\" from tier ",
                           wanted_.min_tier(), " ", parts...);
  }

  bool Passes(const v1::Alert& alert) const {
    if (alert.tier() < (wanted_.has_min_tier() ? wanted_.min_tier() : 3)) return false;
    return wanted_.tenant_id().empty() || alert.tenant_id().empty() || alert.tenant_id() == wanted_.tenant_id();
  }

  // Nothing between what is known and `sequence` may have been left out, for instance `sequence` itself by a bookmark.
  void CheckSkipped(int64_t from, int64_t to) {
    for (int64_t sequence = from + 1; sequence < to && sequence <= Head(); ++sequence) {
      if (Passes(owner_.alerts_.alerts()[static_cast<size_t>(sequence - 1)])) Fail("was not sent alert ", sequence);
    }
  }

  void OnMessage(const std::string& bytes) {
    WatchSilence();
    Coverage& coverage = owner_.sim_.coverage;
    v1::SubscribeAlertsResponse message;
    if (!message.ParseFromString(bytes)) return Fail("was sent what cannot be read");
    const int64_t before = cursor_->sequence();
    if (const absl::Status status = cursor_->Accept(message); !status.ok()) return Fail(status.ToString());
    if (message.has_opened()) {
      coverage.Count("stream", opened_ ? "resumed" : "opened");
      opened_ = true;
      backoff_.Reset();
      return;
    }
    coverage.Count("stream", message.has_batch() ? "batch" : "bookmark");
    if (message.has_batch()) owner_.sim_.trace.Add("stream: ", wanted_.tenant_id(), " at ", cursor_->sequence());
    int64_t known = before;
    for (const v1::Alert& alert : message.batch().alerts()) {
      CheckAlert(alert);
      CheckSkipped(known, alert.sequence());
      known = alert.sequence();
    }
    if (message.has_bookmark()) CheckSkipped(before, message.bookmark().sequence() + 1);
  }

  void CheckAlert(const v1::Alert& alert) {
    if (alert.sequence() > Head())
      return Fail("was sent alert ", alert.sequence(), " of ", Head(), " that are durable");
    if (!Passes(alert)) Fail("was sent alert ", alert.sequence(), ", which it did not ask for");
    const v1::Alert& durable = owner_.alerts_.alerts()[static_cast<size_t>(alert.sequence() - 1)];
    if (Serialize(alert) == Serialize(durable)) return;
    owner_.sim_.trace.Fail("stream-bytes", "alert ", alert.sequence(), " was sent otherwise than it is stored");
  }

  void OnEnd(const absl::Status& status) {
    session_ = nullptr;
    absl::Duration wait = std::exchange(away_, absl::ZeroDuration());
    if (client::IsRetryable(status)) {
      wait += backoff_.Next(status);
    } else if (absl::IsOutOfRange(status)) {
      Restart(status);
    } else {
      return Fail("was ended: ", status.ToString());
    }
    owner_.sim_.timeline.After(wait + owner_.network_.Latency(), [this] {
      if (session_ == nullptr) Connect();
    });
  }

  // What it has not seen was cut from the log: it goes on with the oldest that is left.
  void Restart(const absl::Status& status) {
    owner_.sim_.coverage.Count("stream", "position expired");
    const int64_t oldest = owner_.server_.alert_range().oldest;
    if (cursor_->sequence() + 1 >= oldest) Fail("was told that its position expired: ", status.ToString());
    const auto lost = client::LostCount(status);
    if (!lost.has_value() || cursor_->sequence() + *lost + 1 > oldest)
      Fail("was told a wrong loss: ", status.ToString());
    v1::SubscribeAlertsRequest request = wanted_;
    request.set_after_sequence(oldest - 1);
    cursor_.emplace(request);
  }

  Subscribers& owner_;
  const v1::SubscribeAlertsRequest wanted_;
  // How long it takes for each message.
  const absl::Duration pause_;
  // Made anew where the log was cut.
  std::optional<client::AlertCursor> cursor_;
  client::Backoff backoff_{client::RetryPolicy(), owner_.network_.environment()};
  std::shared_ptr<StreamSession> session_;
  absl::Duration away_;
  bool opened_ = false;
  // Messages so far, and streams begun.
  int messages_ = 0;
};

Subscribers::Subscribers(Sim& sim, SimServer& server, Network& network, const Cast& cast, const AlertChecker& alerts)
    : sim_(sim), server_(server), network_(network), cast_(cast), alerts_(alerts) {}

Subscribers::~Subscribers() = default;

void Subscribers::Setup() {
  for (int i = sim_.random.Between(1, 3); i > 0; --i) {
    v1::SubscribeAlertsRequest request;
    request.set_after_sequence(0);
    *request.mutable_bookmark_interval() = ToProto(absl::Seconds(sim_.random.Between(5, 60)));
    // The first sees everything.
    if (i == 1 || sim_.random.Chance(0.5)) request.set_min_tier(i == 1 ? 0 : sim_.random.Below(4));
    if (i > 1 && sim_.random.Chance(0.5)) request.set_tenant_id(sim_.random.Pick(cast_.tenants));
    const bool slow = sim_.random.Chance(0.3);
    subscribers_.push_back(std::make_unique<Subscriber>(
        *this, request, sim_.random.Between(absl::Milliseconds(1), slow ? absl::Seconds(3) : absl::Milliseconds(10))));
    Subscriber* subscriber = subscribers_.back().get();
    sim_.timeline.After(sim_.random.Between(absl::ZeroDuration(), absl::Seconds(10)),
                        [subscriber] { subscriber->Connect(); });
  }
}

void Subscribers::Step() {
  sim_.coverage.Count("fault", "stream cut");
  subscribers_[static_cast<size_t>(sim_.random.Below(static_cast<int>(subscribers_.size())))]->Cut(
      sim_.random.Chance(0.5) ? sim_.random.Between(absl::ZeroDuration(), absl::Minutes(5)) : absl::ZeroDuration());
}

bool Subscribers::IsDone() const {
  return std::all_of(subscribers_.begin(), subscribers_.end(),
                     [](const auto& subscriber) { return subscriber->is_at_head(); });
}

void Subscribers::Check() {
  for (const auto& subscriber : subscribers_) subscriber->CheckComplete();
}

}  // namespace interlock::simulation
