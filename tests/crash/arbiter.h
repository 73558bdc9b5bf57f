// A client that asks for decisions, one by one or many at a time, and now and then asks again for one that it has.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "interlock/v1/safety_service.pb.h"
#include "tests/crash/client.h"

namespace interlock::crash {

// By tenant. The tenants' operators set the periods.
using PeriodsByTenant = std::map<std::string, LockPeriods>;

class Arbiter : public Client {
 public:
  // Asks for actions of all tenants of `periods`, which must outlive it.
  Arbiter(Recorder& recorder, const PeriodsByTenant& periods, std::string name, uint64_t seed);

 protected:
  Operation Next() override;

 private:
  v1::ArbitrateRequest NewRequest(bool with_request_id);
  bool Ask(const support::Api& api, const v1::ArbitrateRequest& request, bool again);
  bool AskMany(const support::Api& api, const v1::ArbitrateStreamRequest& message, bool again);
  // Takes down the answer to a request; `period` is that of its tenant before it was sent.
  void Take(const v1::ArbitrateRequest& request, const v1::Decision& decision, int64_t period, bool again);

  const PeriodsByTenant& periods_;
  std::vector<std::string> tenants_;
  // The newest answered requests that have a request_id.
  std::vector<v1::ArbitrateRequest> answered_;
};

}  // namespace interlock::crash
