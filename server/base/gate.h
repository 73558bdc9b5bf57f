// A gate that test threads wait at until the test opens it.
#pragma once

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace interlock::server {

// Thread-safe. Opens once and stays open.
class Gate {
 public:
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    opened_.NotifyAll();
  }
  void Wait() {
    MutexLock lock(mutex_);
    while (!open_) opened_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar opened_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace interlock::server
