// A thread that moves calls between gRPC and the server: it waits on one completion queue and tells each event to whom
// it concerns.
//
// gRPC's callback API would do the same with threads of its own, but all of them wait for the same connections, so that
// each event wakes one of them and each answer from the engine thread contends with them. One thread for the bytes and
// one for the decisions need a third less of the processor for a call.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace interlock::server {

// What an I/O thread can be told; the tag of an operation of gRPC.
class IoEvent {
 public:
  virtual ~IoEvent() = default;
  // Called on the I/O thread. `ok` says whether the operation came about; see grpc::CompletionQueue::Next.
  virtual void Happened(bool ok) = 0;
};

// An event that is a method of `Owner`.
template <typename Owner>
class MemberEvent final : public IoEvent {
 public:
  using Method = void (Owner::*)(bool ok);
  MemberEvent(Owner& owner, Method method) : owner_(owner), method_(method) {}
  void Happened(bool ok) override { (owner_.*method_)(ok); }

 private:
  Owner& owner_;
  const Method method_;
};

// Thread-safe, but for Start.
class IoThread {
 public:
  explicit IoThread(std::unique_ptr<grpc::ServerCompletionQueue> queue);
  // Stops it.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  grpc::ServerCompletionQueue& queue() { return *queue_; }

  void Start();
  // Has `event` happen soon on the thread. False: the thread was stopped, and it never will.
  bool Post(IoEvent& event) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether the thread has nothing to do at the moment: then whoever has an answer sends it with less delay by himself.
  bool IsWaiting() const { return waiting_.load(std::memory_order_relaxed); }
  // Lets all calls and events end that are under way, then ends the thread. REQUIRES: the server of the queue was shut
  // down.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  // Each call, from the time when it is waited for until nothing is started on it any more, is held by one of these:
  // the queue must not be shut down before, because gRPC aborts when something is started on a queue that was.
  class Hold {
   public:
    explicit Hold(IoThread& io) : io_(io) { ++io_.calls_; }
    ~Hold() { io_.EndCall(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    IoThread& io_;
  };

 private:
  void Run();
  void EndCall() ABSL_LOCKS_EXCLUDED(mutex_);
  void TellPosted(bool ok) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::thread thread_;
  std::atomic<bool> waiting_ = false;
  std::atomic<int64_t> calls_ = 0;
  // Brings posted events into the queue.
  grpc::Alarm alarm_;
  MemberEvent<IoThread> posted_event_{*this, &IoThread::TellPosted};

  Mutex mutex_;
  CondVar ended_;
  std::vector<IoEvent*> posted_ ABSL_GUARDED_BY(mutex_);
  // Whether what is posted will be told without another alarm.
  bool telling_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace interlock::server
