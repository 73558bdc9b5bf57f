#include "tests/differential/make_outcome.h"

#include <string>

namespace interlock::differential {

v1::ReportActionOutcomeRequest MakeOutcome(uint32_t decision_count, Random& random) {
  v1::ReportActionOutcomeRequest request;
  const uint32_t back = random.Chance(70) ? random.Below(4) : random.Below(30);
  request.set_decision_id("decision-" + std::to_string(decision_count > back ? decision_count - back : 1));
  request.set_outcome(random.Pick({v1::OUTCOME_SUCCEEDED, v1::OUTCOME_FAILED, v1::OUTCOME_NOT_EXECUTED,
                                   v1::OUTCOME_NOT_EXECUTED, v1::OUTCOME_UNKNOWN}));
  request.set_detail(random.Pick({"", "done"}));
  const bool tried = request.outcome() == v1::OUTCOME_SUCCEEDED || request.outcome() == v1::OUTCOME_FAILED;
  if (tried && random.Chance(40)) request.mutable_duration()->set_seconds(random.Pick({0, 29, 61, 121}));
  return request;
}

}  // namespace interlock::differential
