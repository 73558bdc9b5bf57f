// A server in a process of its own, for tests that kill it. Usage: restart_server ADDRESS:PORT
//
// Prints the address and serves until it is killed. It answers GetServerInfo, and each alert stream gets the one alert
// that follows what it asks for.
#include <poll.h>

#include <cstdio>

#include "client/testing/fake_server.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  interlock::client::FakeServer server(argv[1]);
  server.answers.get_server_info = [](grpc::ServerContext&, const interlock::v1::GetServerInfoRequest&,
                                      interlock::v1::ServerInfo&) { return grpc::Status::OK; };
  server.answers.subscribe_alerts = [](grpc::ServerContext& context,
                                       const interlock::v1::SubscribeAlertsRequest& request,
                                       grpc::ServerWriter<interlock::v1::SubscribeAlertsResponse>& writer) {
    interlock::v1::SubscribeAlertsResponse message;
    message.mutable_opened()->set_after_sequence(request.after_sequence());
    writer.Write(message);
    message.mutable_batch()->set_previous_sequence(request.after_sequence());
    message.mutable_batch()->add_alerts()->set_sequence(request.after_sequence() + 1);
    writer.Write(message);
    while (!context.IsCancelled()) poll(nullptr, 0, 10);
    return grpc::Status::CANCELLED;
  };
  std::printf("%s\n", server.address().c_str());
  std::fflush(stdout);
  poll(nullptr, 0, -1);
  return 0;
}
