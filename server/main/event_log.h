// Tells operators what happened, one line for each event. A line holds identifiers and numbers only: no reasons,
// parameters or other text that callers sent.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "core/engine/effects.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"
#include "server/base/thread_pool.h"

namespace interlock::server {

enum class LogSeverity { kInfo, kError };

struct LogLine {
  LogSeverity severity;
  std::string text;
};

// The lines of what a batch did: an error for each systemic anomaly that fires at or rises to tier 3, and information
// about each decision that is not ALLOW and each change of a lock.
std::vector<LogLine> LinesOf(const Effects& effects);

// Writes lines in order on a thread of its own, because whoever reads the log may be slow. Thread-safe.
class EventLog {
 public:
  // `write` is called by one thread at a time.
  explicit EventLog(std::function<void(const LogLine&)> write, size_t lines_max = kLogLinesMax);

  // Takes the line on, or counts it as dropped if too many wait; how many were dropped is the next line written.
  void Write(LogLine line) ABSL_LOCKS_EXCLUDED(mutex_);
  // Writes what waits and takes nothing more.
  void Stop() { thread_.Stop(); }

 private:
  void WriteNow(const LogLine& line) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::function<void(const LogLine&)> write_;
  Mutex mutex_;
  int64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  ThreadPool thread_;
};

}  // namespace interlock::server
