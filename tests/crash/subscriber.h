// The client that is sent every alert, and resumes after each crash behind the last one it was sent.
#pragma once

#include "tests/crash/recorder.h"

namespace interlock::crash {

// Works through all rounds, until each stream breaks; takes down every alert. Starts where the history's alerts end.
void RunSubscriber(Recorder& recorder, Rounds& rounds);

// Reads on behind the history's last alert up to `head`, while no other subscriber is at work.
void ReadAlertsUpTo(Recorder& recorder, const std::shared_ptr<grpc::Channel>& channel, int64_t head);

}  // namespace interlock::crash
