// Whether any approval has changed, for those who wait for one.
#pragma once

#include <atomic>
#include <cstdint>

namespace interlock::server {

// Thread-safe. Who reads the count before the store, and finds it the same later, has missed nothing.
class ApprovalChanges {
 public:
  // Approvals have changed, durably.
  void Add() { ++count_; }
  uint64_t count() const { return count_; }

 private:
  std::atomic<uint64_t> count_ = 0;
};

}  // namespace interlock::server
