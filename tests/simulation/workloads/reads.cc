#include "tests/simulation/workloads/reads.h"

#include <string>

#include "core/base/serialize.h"

namespace interlock::simulation {

template <typename Reply, typename Request>
void Reads::Read(absl::string_view name, const Request& request) {
  sim_.coverage.Count("command", name);
  network_.Call<Request, Reply>(PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice"), request,
                                [this, name](const absl::StatusOr<Reply>& reply) {
                                  sim_.trace.Add("read: ", name, " ", InShort(reply.status()));
                                  if (reply.ok()) sim_.trace.AddBytes(Serialize(*reply));
                                });
}

void Reads::Step() {
  switch (sim_.random.Below(4)) {
    case 0: {
      v1::GetAgentRequest request;
      request.set_tenant_id(sim_.random.Pick(cast_.tenants));
      request.set_agent_id(sim_.random.Pick(cast_.agents));
      return Read<v1::Agent>("GetAgent", request);
    }
    case 1: {
      v1::ListAgentsRequest request;
      request.set_tenant_id(sim_.random.Pick(cast_.tenants));
      return Read<v1::ListAgentsResponse>("ListAgents", request);
    }
    case 2:
      return Read<v1::FleetStats>("GetFleetStats", v1::GetFleetStatsRequest());
    default:
      return Read<v1::ServerInfo>("GetServerInfo", v1::GetServerInfoRequest());
  }
}

}  // namespace interlock::simulation
