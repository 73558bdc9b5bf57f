#include "tests/differential/make_rollback.h"

namespace interlock::differential {

v1::CreateCheckpointRequest MakeSave(Random& random) {
  v1::CreateCheckpointRequest request;
  request.set_action_type(random.Pick({"write_blog", "edit_page", "Edit_Page", "drop", "get_page"}));
  request.set_state(random.Pick({"one", "two", "three"}));
  return request;
}

GoBack MakeGoBack(Random& random) {
  GoBack go_back;
  go_back.request.set_reason("it broke");
  if (random.Chance(50)) go_back.request.mutable_latest()->set_count(random.Pick({0, 1, 2, 3, 3}));
  return go_back;
}

TellOfRollback MakeTell(Random& random) {
  TellOfRollback tell;
  tell.version_offset = random.Chance(10) ? random.Pick({-1, 1}) : 0;
  tell.is_over = random.Chance(10);
  tell.is_wrong = random.Chance(30);
  tell.request.set_state(
      random.Pick({v1::ROLLBACK_STATE_RUNNING, v1::ROLLBACK_STATE_RUNNING, v1::ROLLBACK_STATE_SUCCEEDED,
                   v1::ROLLBACK_STATE_SUCCEEDED, v1::ROLLBACK_STATE_FAILED, v1::ROLLBACK_STATE_UNVERIFIABLE}));
  tell.request.set_detail(random.Pick({"", "said"}));
  return tell;
}

void MakeOtherRollback(Request& request) {
  if (auto* save = std::get_if<v1::CreateCheckpointRequest>(&request)) save->set_state("another state");
  if (auto* act = std::get_if<ActWith>(&request)) act->request.mutable_action()->set_action_id("other");
  if (auto* go_back = std::get_if<GoBack>(&request)) go_back->request.set_reason("another reason");
  if (auto* back = std::get_if<RollbackPolicy>(&request)) back->request.set_reason("another reason");
  if (auto* tell = std::get_if<TellOfRollback>(&request)) tell->request.set_detail("another detail");
}

}  // namespace interlock::differential
