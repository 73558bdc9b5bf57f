// The bounds of the server's own queues, streams and threads, each with its reason. Those of the
// engine and the API are in core/base/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "core/base/limits.h"

namespace interlock::server {

// A message of ArbitrateStream in which every request is as large as allowed, with room for its
// other fields.
inline constexpr size_t kMessageBytesMax = 5 * 1024 * 1024;
static_assert(kMessageBytesMax >= kStreamRequestsMax * (kParametersBytesMax + 8 * 1024));

// Calls that wait for the engine: some tenths of a second of work. Whoever comes later would wait
// longer than is of use.
inline constexpr size_t kQueueWorksMax = 4096;
// The same in memory, because a few large requests weigh as much as thousands of small ones.
inline constexpr size_t kQueueBytesMax = 64 * 1024 * 1024;
// A batch is no longer than this, so that the first of it does not wait for long and a failed
// commit loses little.
inline constexpr size_t kBatchWorksMax = 512;
// A sync costs the processor as much as a dozen decisions, so a batch waits for works that are expected to come right
// after, from how many came together shortly before: at most this long, and for no more than this. 4 KiB are about
// thirty actions.
inline constexpr absl::Duration kGatherMax = absl::Milliseconds(1);
inline constexpr size_t kGatherBytesMax = 4096;
// Below the minute after which proxies cut idle calls.
inline constexpr absl::Duration kWaitMax = absl::Seconds(55);
// By then a full queue has room again.
inline constexpr absl::Duration kOverloadRetryDelay = absl::Milliseconds(250);
// A thread that waits for a time looks at the clock this often, because wall clocks are set.
inline constexpr absl::Duration kTimerWaitMax = absl::Seconds(1);
// Waits between tries to open the store again after a failed commit: short at first, and never so
// long that an operator who has freed the disk has to wait for it.
inline constexpr absl::Duration kReopenDelayMin = absl::Milliseconds(50);
inline constexpr absl::Duration kReopenDelayMax = absl::Seconds(5);

// Open streams of all kinds; each costs some tens of KiB in gRPC.
inline constexpr size_t kStreamsMax = 4096;
// Messages of one ArbitrateStream that wait for the engine: enough to keep it busy, too few to fill
// the queue.
inline constexpr size_t kStreamMessagesInFlightMax = 8;
// Alerts kept serialised in memory for the live tail; a reader further behind reads the store.
inline constexpr size_t kAlertRingMax = 8192;
// Lock changes kept in memory; a watcher further behind gets the locks in force anew.
inline constexpr size_t kLockRingMax = 4096;
// One message of a subscription: large enough to be efficient, small enough to be interrupted.
inline constexpr size_t kAlertBatchEventsMax = 256;
inline constexpr size_t kAlertBatchBytesMax = 256 * 1024;
// Alerts looked at in one go for a reader that is behind, so that all such readers take turns.
inline constexpr int kCatchUpRowsMax = 1000;
inline constexpr absl::Duration kBookmarkInterval = absl::Seconds(5);

// Threads that read the store for calls and for streams that are behind.
inline constexpr int kReadThreads = 2;
// Reads that wait; each takes milliseconds.
inline constexpr size_t kReadQueueMax = 1024;
// A page stops here even if it asked for more rows, because clients refuse messages above 4 MiB.
inline constexpr size_t kPageBytesMax = 2 * 1024 * 1024;
// Rows of the audit log that one VerifyAuditLog checks: some tenths of a second, with their records.
inline constexpr int kAuditRowsPerCallMax = 10000;
// Records that a continuation of VerifyAuditLog follows: more than are ever open between two rows.
inline constexpr int kAuditOpenRecordsMax = 1000;
// Rows in one message of an export, each some hundreds of bytes.
inline constexpr int64_t kAuditRowsPerMessageMax = 1000;
// What a replay of a policy does before it lets other streams have their turn: some ten milliseconds.
inline constexpr int64_t kReplayEventsPerStepMax = 1000;
inline constexpr int64_t kReplayRowsPerStepMax = 1000;
// One thread moves the bytes of all calls as fast as the engine thread decides them; only machines with many processors
// gain from more, because threads that wait for the same connections wake one another.
inline constexpr int kProcessorsPerIoThread = 4;
// Calls of one method that are waited for at once on each thread; more that come together wait for an instant.
inline constexpr int kAcceptedCallsMax = 16;
// Calls and streams of one connection at a time; a client that needs more opens another connection.
inline constexpr int kCallsPerConnectionMax = 1000;
// What gRPC may hold for messages on their way in and out; beyond it reading from connections slows down.
inline constexpr size_t kGrpcBytesMax = size_t{512} * 1024 * 1024;
// Reflection and channelz take a thread for each call.
inline constexpr int kGrpcThreadsMax = 32;
// A pulled cable is noticed after the sum of the first two.
inline constexpr absl::Duration kKeepaliveTime = absl::Seconds(10);
inline constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(5);
inline constexpr absl::Duration kClientPingIntervalMin = absl::Seconds(5);
// How long calls under way may take when the server stops.
inline constexpr absl::Duration kStopCallsPatience = absl::Seconds(5);
// An attempt ends within 30 s; one that is not waited for is recovered as lost, and what it obtained with it.
inline constexpr absl::Duration kStopAttemptsPatience = absl::Seconds(35);
// Log lines that wait to be written; further ones are counted and dropped, because a log must not
// stop decisions.
inline constexpr size_t kLogLinesMax = 4096;

}  // namespace interlock::server
