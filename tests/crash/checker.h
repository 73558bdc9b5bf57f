// Holds what a server shows after a restart against what it acknowledged before: the oracle of the crash test. It knows
// nothing of processes and networks, so that checker_test can show that it finds what it is there to find.
#pragma once

#include <string>
#include <vector>

#include "tests/crash/history.h"
#include "tests/crash/observe.h"

namespace interlock::crash {

// What contradicts the promises, in words; empty: nothing. At most some dozens.
//
//   decisions  every acknowledged one is there, byte for byte; sequences are dense over all tenants from 1; nothing
//              was decided that nobody asked; what was asked under a request_id was decided once, or once more when a
//              lock had come over an ALLOW
//   locks      each is as it was acknowledged, or one change further if a call was in doubt; each change has one
//              revision and one alert; what is in force blocks
//   agents     the newest acknowledged report, or the one in doubt
//   policies   every acknowledged version, and at most one more if a call was in doubt
//   alerts     dense from 1; the subscriber was sent each once, in order, byte for byte; of each fingerprint at most
//              one episode is open at a time
//   audit log  VerifyAuditLog finds nothing wrong with its rows and the records that they vouch for
//   tasks      every created one; attempts never overlap and their leases grow; what has ended stays so; user alerts
//              stay
std::vector<std::string> Check(const History& history, const Observation& observation);

// What of the acknowledged work has not been done, once nothing is under way any more: each trigger must have led to an
// attempt that ended, except at the tasks for `hanging_target`.
std::vector<std::string> CheckDone(const History& history, const Observation& observation,
                                   const std::string& hanging_target);

}  // namespace interlock::crash
