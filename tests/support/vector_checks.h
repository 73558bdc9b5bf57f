// Makes messages of the recorded inputs of the reference system (see vectors.h) and holds answers against what it
// answered: numbers within 1e-9, texts verbatim. The same checks serve the rules by themselves and the whole server.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "google/protobuf/struct.pb.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/assessment.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/snapshot.pb.h"

namespace interlock::support {

// Inputs. Tenant, agent and times are the caller's to set. `action`, `constraint` and `snapshot` are the objects of
// these names in a vector.
v1::Action VectorAction(const google::protobuf::Struct& action);
v1::Constraint VectorConstraint(const google::protobuf::Struct& constraint);
// Over 100 actions.
v1::Snapshot VectorSnapshot(const google::protobuf::Struct& snapshot);
struct VectorPoint {
  // Since a start that all points of a vector share.
  absl::Duration offset;
  double value;
};
// The points of a trend, oldest first.
std::vector<VectorPoint> VectorPoints(const google::protobuf::ListValue& points);

// Comparisons; `expect` is the object of this name in a vector or in a step of one.
void ExpectDecision(const v1::Decision& decision, const google::protobuf::Struct& expect);
void ExpectAssessment(const v1::Assessment& assessment, const google::protobuf::Struct& expect);
void ExpectTrend(const v1::Trend& trend, const google::protobuf::Struct& expect);

}  // namespace interlock::support
