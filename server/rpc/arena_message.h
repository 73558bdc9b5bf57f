// A message with memory of its own: a request has many small parts, and they come and go together.
#pragma once

#include <array>
#include <cstddef>

#include "google/protobuf/arena.h"

namespace interlock::server {

// The message lives as long as this. Thread-compatible.
template <typename Message>
class ArenaMessage {
 public:
  ArenaMessage() {}
  ArenaMessage(const ArenaMessage&) = delete;
  ArenaMessage& operator=(const ArenaMessage&) = delete;

  Message& operator*() const { return message_; }
  Message* operator->() const { return &message_; }

 private:
  // What most requests need; more is allocated.
  static constexpr size_t kFirstBlockBytes = 1024;

  static google::protobuf::ArenaOptions Options(std::array<char, kFirstBlockBytes>& block) {
    google::protobuf::ArenaOptions options;
    options.initial_block = block.data();
    options.initial_block_size = block.size();
    return options;
  }

  alignas(std::max_align_t) std::array<char, kFirstBlockBytes> first_block_;
  google::protobuf::Arena arena_{Options(first_block_)};
  Message& message_ = *google::protobuf::Arena::CreateMessage<Message>(&arena_);
};

}  // namespace interlock::server
