#include "server/rpc/io_thread.h"

#include <grpc/support/time.h>

#include <utility>

namespace interlock::server {

IoThread::IoThread(std::unique_ptr<grpc::ServerCompletionQueue> queue) : queue_(std::move(queue)) {}

IoThread::~IoThread() { Stop(); }

void IoThread::Start() {
  thread_ = std::thread([this] { Run(); });
}

bool IoThread::Post(IoEvent& event) {
  MutexLock lock(mutex_);
  if (stopped_) return false;
  posted_.push_back(&event);
  if (telling_) return true;
  telling_ = true;
  alarm_.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &posted_event_);
  return true;
}

void IoThread::TellPosted(bool) {
  std::vector<IoEvent*> events;
  for (;;) {
    {
      MutexLock lock(mutex_);
      telling_ = !posted_.empty();
      if (!telling_) return;
      events.swap(posted_);
    }
    for (IoEvent* event : events) event->Happened(true);
    events.clear();
  }
}

void IoThread::Run() {
  void* tag = nullptr;
  bool ok = false;
  for (;;) {
    waiting_.store(true, std::memory_order_relaxed);
    if (!queue_->Next(&tag, &ok)) return;
    waiting_.store(false, std::memory_order_relaxed);
    static_cast<IoEvent*>(tag)->Happened(ok);
  }
}

void IoThread::EndCall() {
  if (--calls_ > 0) return;
  MutexLock lock(mutex_);
  ended_.NotifyAll();
}

void IoThread::Stop() {
  {
    MutexLock lock(mutex_);
    while (calls_ > 0) ended_.Wait(mutex_);
    if (stopped_) return;
    stopped_ = true;
  }
  queue_->Shutdown();
  if (thread_.joinable()) {
    thread_.join();
  } else {
    Run();
  }
}

}  // namespace interlock::server
