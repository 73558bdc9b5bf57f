#include "client/cli/replay/interrupt.h"

#include <csignal>

namespace interlock::cli {
namespace {

// A signal handler has nothing else to reach; it is lock-free and so may be used there.
std::atomic<bool> asked_to_end = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void Handle(int signal) {
  asked_to_end = true;
  std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  asked_to_end = false;
  std::signal(SIGINT, Handle);
  std::signal(SIGTERM, Handle);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

const std::atomic<bool>& InterruptGuard::interrupted() const { return asked_to_end; }

}  // namespace interlock::cli
