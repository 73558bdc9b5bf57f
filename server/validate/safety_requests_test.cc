#include <limits>
#include <string>

#include "core/base/limits.h"
#include "google/protobuf/struct.pb.h"
#include "gtest/gtest.h"
#include "server/validate/requests_testing.h"

namespace interlock::server {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;
using Request = v1::ArbitrateRequest;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

Request ValidRequest() {
  return Parse<Request>(R"pb(
    request_id: "r"
    action {
      tenant_id: "t"
      agent_id: "a"
      action_id: "1"
      action_type: "send_email"
      category: "communication"
      target_resource: "mailbox/7"
      parameters {
        fields {
          key: "to"
          value {
            list_value {
              values { string_value: "x" }
              values { number_value: 1.5 }
            }
          }
        }
        fields {
          key: "options"
          value {
            struct_value {
              fields {
                key: "b"
                value { bool_value: true }
              }
              fields {
                key: "n"
                value { null_value: NULL_VALUE }
              }
            }
          }
        }
      }
      risk_score: 0.5
      impact_score: 1
      recommended_tier: 0
      autonomous_modification: false
      request_time { seconds: 1 }
    }
  )pb");
}

std::function<void(Request&)> InAction(std::function<void(v1::Action&)> change) {
  return [change](Request& request) { change(*request.mutable_action()); };
}

// A change of the one value "v" that the parameters then hold.
std::function<void(Request&)> OneParameter(std::function<void(Value&)> change) {
  return InAction([change](v1::Action& action) {
    action.clear_parameters();
    change((*action.mutable_parameters()->mutable_fields())["v"]);
  });
}

void AddUnknownField(google::protobuf::Message& message) {
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(999, 1);
}

TEST(ArbitrateTest, EnvelopeAndNames) {
  ExpectVariations<Request>(
      ValidRequest(),
      {
          {"empty", [](Request& r) { r.Clear(); }, {"action"}},
          {"no names",
           [](Request& r) { r.mutable_action()->Clear(); },
           {"action.tenant_id", "action.agent_id", "action.action_type"}},
          {"only what is required",
           [](Request& r) { r = Parse<Request>("action { tenant_id: 't' agent_id: 'a' action_type: 'x' }"); },
           {}},
          {"request id", [](Request& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
          {"tenant", InAction([](v1::Action& a) { a.set_tenant_id(std::string(129, 'a')); }), {"action.tenant_id"}},
          {"agent", InAction([](v1::Action& a) { a.set_agent_id(std::string("a\0", 2)); }), {"action.agent_id"}},
          {"action id of 128 bytes", InAction([](v1::Action& a) { a.set_action_id(std::string(128, 'a')); }), {}},
          {"action id", InAction([](v1::Action& a) { a.set_action_id(std::string(129, 'a')); }), {"action.action_id"}},
          {"type of 128 bytes", InAction([](v1::Action& a) { a.set_action_type(std::string(128, 'a')); }), {}},
          {"type", InAction([](v1::Action& a) { a.set_action_type(std::string(129, 'a')); }), {"action.action_type"}},
          {"category of 64 bytes", InAction([](v1::Action& a) { a.set_category(std::string(64, 'a')); }), {}},
          {"category", InAction([](v1::Action& a) { a.set_category(std::string(65, 'a')); }), {"action.category"}},
          {"resource of 512 bytes", InAction([](v1::Action& a) { a.set_target_resource(std::string(512, 'a')); }), {}},
          {"resource",
           InAction([](v1::Action& a) { a.set_target_resource(std::string(513, 'a')); }),
           {"action.target_resource"}},
      });
}

TEST(ArbitrateTest, NumbersTierAndTime) {
  ExpectVariations<Request>(
      ValidRequest(),
      {
          {"risk", InAction([](v1::Action& a) { a.set_risk_score(1.5); }), {"action.risk_score"}},
          {"risk not a number", InAction([](v1::Action& a) { a.set_risk_score(kNotANumber); }), {"action.risk_score"}},
          {"impact", InAction([](v1::Action& a) { a.set_impact_score(-0.1); }), {"action.impact_score"}},
          {"impact infinite", InAction([](v1::Action& a) { a.set_impact_score(kInfinity); }), {"action.impact_score"}},
          {"tier 3", InAction([](v1::Action& a) { a.set_recommended_tier(3); }), {}},
          {"tier 4", InAction([](v1::Action& a) { a.set_recommended_tier(4); }), {"action.recommended_tier"}},
          {"tier -1", InAction([](v1::Action& a) { a.set_recommended_tier(-1); }), {"action.recommended_tier"}},
          {"time", InAction([](v1::Action& a) { a.mutable_request_time()->set_nanos(-1); }), {"action.request_time"}},
      });
}

TEST(ArbitrateTest, UnknownFieldsAreRefusedAtEveryLevelOfTheAction) {
  ExpectVariations<Request>(
      ValidRequest(),
      {
          {"action", InAction([](v1::Action& a) { AddUnknownField(a); }), {"action"}},
          {"time",
           InAction([](v1::Action& a) { AddUnknownField(*a.mutable_request_time()); }),
           {"action.request_time"}},
          {"parameters",
           InAction([](v1::Action& a) { AddUnknownField(*a.mutable_parameters()); }),
           {"action.parameters"}},
          {"value",
           OneParameter([](Value& v) {
             v.set_bool_value(true);
             AddUnknownField(v);
           }),
           {"action.parameters.v"}},
          {"struct",
           OneParameter([](Value& v) { AddUnknownField(*v.mutable_struct_value()); }),
           {"action.parameters.v"}},
          {"list", OneParameter([](Value& v) { AddUnknownField(*v.mutable_list_value()); }), {"action.parameters.v"}},
          {"value in a list",
           OneParameter([](Value& v) {
             v.mutable_list_value()->add_values()->set_number_value(1);
             AddUnknownField(*v.mutable_list_value()->mutable_values(0));
           }),
           {"action.parameters.v[0]"}},
      });
}

TEST(ArbitrateTest, UnknownFieldIsFoundInParsedBytes) {
  // Field 1000 of the action, a varint: what a newer client would send.
  std::string action = ValidRequest().action().SerializeAsString() + "\xC0\x3E\x01";
  Request request;
  ASSERT_TRUE(request.mutable_action()->ParseFromString(action));
  EXPECT_THAT(ViolatedFields(Validate(request)), testing::ElementsAre("action"));
}

TEST(ArbitrateTest, ParametersHoldOnlyFiniteNumbersAndKnownValues) {
  ExpectVariations<Request>(
      ValidRequest(),
      {
          {"no parameters", InAction([](v1::Action& a) { a.clear_parameters(); }), {}},
          {"empty parameters", InAction([](v1::Action& a) { a.mutable_parameters()->Clear(); }), {}},
          {"number", OneParameter([](Value& v) { v.set_number_value(-1e308); }), {}},
          {"not a number", OneParameter([](Value& v) { v.set_number_value(kNotANumber); }), {"action.parameters.v"}},
          {"infinite", OneParameter([](Value& v) { v.set_number_value(kInfinity); }), {"action.parameters.v"}},
          {"negative infinite",
           OneParameter([](Value& v) { v.set_number_value(-kInfinity); }),
           {"action.parameters.v"}},
          {"in a list in a struct",
           OneParameter([](Value& v) {
             auto& b = (*v.mutable_struct_value()->mutable_fields())["b"];
             for (double number : {1.0, 2.0, kInfinity}) b.mutable_list_value()->add_values()->set_number_value(number);
           }),
           {"action.parameters.v.b[2]"}},
          {"in a struct in a list",
           OneParameter([](Value& v) {
             auto& fields = *v.mutable_list_value()->add_values()->mutable_struct_value()->mutable_fields();
             fields["c"].set_number_value(kNotANumber);
           }),
           {"action.parameters.v[0].c"}},
          {"no value", OneParameter([](Value&) {}), {"action.parameters.v"}},
          {"unknown null",
           OneParameter([](Value& v) { v.set_null_value(static_cast<google::protobuf::NullValue>(1)); }),
           {"action.parameters.v"}},
          {"text", OneParameter([](Value& v) { v.set_string_value("\n\xC3\xA4"); }), {}},
          {"text not UTF-8", OneParameter([](Value& v) { v.set_string_value("\xFF"); }), {"action.parameters.v"}},
          {"name not UTF-8",
           InAction([](v1::Action& a) {
             a.clear_parameters();
             (*a.mutable_parameters()->mutable_fields())["\xFF"].set_bool_value(true);
           }),
           {"action.parameters.\\377"}},
      });
}

TEST(ArbitrateTest, EveryBadParameterIsNamed) {
  Request request = ValidRequest();
  auto& fields = *request.mutable_action()->mutable_parameters()->mutable_fields();
  fields["p"].set_number_value(kNotANumber);
  fields["q"].set_number_value(kInfinity);
  request.mutable_action()->set_risk_score(2);
  EXPECT_THAT(ViolatedFields(Validate(request)),
              testing::UnorderedElementsAre("action.parameters.p", "action.parameters.q", "action.risk_score"));
}

// Parameters with `levels` levels of structs or lists, the parameters themselves being the first.
Request Nested(int levels, bool lists) {
  Request request = ValidRequest();
  Struct& parameters = *request.mutable_action()->mutable_parameters();
  parameters.Clear();
  Value* value = &(*parameters.mutable_fields())["v"];
  for (int level = 2; level <= levels; ++level) {
    value =
        lists ? value->mutable_list_value()->add_values() : &(*value->mutable_struct_value()->mutable_fields())["v"];
  }
  value->set_bool_value(true);
  return request;
}

TEST(ArbitrateTest, ParametersMayBe32LevelsDeep) {
  for (bool lists : {false, true}) {
    EXPECT_TRUE(Validate(Nested(kParametersDepthMax, lists)).ok()) << lists;
    const auto fields = ViolatedFields(Validate(Nested(kParametersDepthMax + 1, lists)));
    ASSERT_EQ(fields.size(), 1u) << lists;
    EXPECT_EQ(fields[0].substr(0, 19), "action.parameters.v") << lists;
  }
}

TEST(ArbitrateTest, ThirtyTwoLevelsPassTheParserOfAStream) {
  v1::ArbitrateStreamRequest stream;
  *stream.add_requests() = Nested(kParametersDepthMax, /*lists=*/false);
  v1::ArbitrateStreamRequest parsed;
  ASSERT_TRUE(parsed.ParseFromString(stream.SerializeAsString()));
  EXPECT_TRUE(Validate(parsed.requests(0)).ok());
}

TEST(ArbitrateTest, ParametersMayHave64KiB) {
  Request request = ValidRequest();
  Struct& parameters = *request.mutable_action()->mutable_parameters();
  parameters.Clear();
  Value& value = (*parameters.mutable_fields())["v"];
  value.set_string_value(std::string(kParametersBytesMax - 100, 'a'));
  const size_t rest = kParametersBytesMax - parameters.ByteSizeLong();
  value.mutable_string_value()->append(rest, 'a');
  ASSERT_EQ(parameters.ByteSizeLong(), kParametersBytesMax);
  EXPECT_TRUE(Validate(request).ok());
  value.mutable_string_value()->append("a");
  EXPECT_THAT(ViolatedFields(Validate(request)), testing::ElementsAre("action.parameters"));
}

TEST(ArbitrateTest, NoValueIsRepeatedInTheError) {
  Request request = ValidRequest();
  request.mutable_action()->set_agent_id("hunter2\n");
  (*request.mutable_action()->mutable_parameters()->mutable_fields())["v"].set_string_value("hunter2\xFF");
  EXPECT_EQ(Validate(request).ToString().find("hunter2"), std::string::npos);
}

TEST(ArbitrateStreamTest, OnlyTheNumberOfRequestsIsChecked) {
  using Stream = v1::ArbitrateStreamRequest;
  const auto requests = [](int count) {
    return [count](Stream& r) {
      r.clear_requests();
      for (int i = 0; i < count; ++i) r.add_requests();
    };
  };
  Stream valid;
  valid.add_requests();
  ExpectVariations<Stream>(valid, {
                                      {"none", requests(0), {"requests"}},
                                      {"64", requests(64), {}},
                                      {"65", requests(65), {"requests"}},
                                  });
}

TEST(ExplainActionTest, ActionIsCheckedAsInArbitrate) {
  using Explain = v1::ExplainActionRequest;
  Explain valid;
  *valid.mutable_action() = ValidRequest().action();
  ExpectVariations<Explain>(
      valid, {
                 {"empty", [](Explain& r) { r.Clear(); }, {"action"}},
                 {"tier", [](Explain& r) { r.mutable_action()->set_recommended_tier(4); }, {"action.recommended_tier"}},
             });
}

TEST(ReportActionOutcomeTest, EveryFieldIsChecked) {
  v1::ReportActionOutcomeRequest request;
  request.set_tenant_id("t");
  request.set_decision_id("decision-1");
  request.set_outcome(v1::OUTCOME_SUCCEEDED);
  request.set_detail(std::string(kOutcomeDetailBytesMax, 'x'));
  request.mutable_duration()->set_seconds(1);
  request.mutable_observe_time()->set_seconds(1'700'000'000);
  EXPECT_TRUE(Validate(request).ok()) << Validate(request);
  request.set_outcome(v1::OUTCOME_NOT_EXECUTED);
  EXPECT_THAT(ViolatedFields(Validate(request)), ::testing::ElementsAre("duration"));
  request.set_outcome(static_cast<v1::Outcome>(9));
  request.mutable_duration()->set_seconds(-1);
  request.mutable_observe_time()->set_nanos(-1);
  request.set_detail(std::string(kOutcomeDetailBytesMax + 1, 'x'));
  request.set_request_id(std::string(65, 'x'));
  request.clear_tenant_id();
  request.clear_decision_id();
  EXPECT_THAT(ViolatedFields(Validate(request)),
              ::testing::ElementsAre("request_id", "tenant_id", "decision_id", "outcome", "detail", "duration",
                                     "duration", "observe_time"));
}

TEST(ListDecisionsTest, FilterAndPage) {
  using List = v1::ListDecisionsRequest;
  ExpectVariations<List>(Parse<List>("tenant_id: 't' agent_id: 'a' verdict: VERDICT_LOCK page_size: 1"),
                         {
                             {"only the tenant", [](List& r) { r = Parse<List>("tenant_id: 't'"); }, {}},
                             {"empty", [](List& r) { r.Clear(); }, {"tenant_id"}},
                             {"agent", [](List& r) { r.set_agent_id("\n"); }, {"agent_id"}},
                             {"verdict", [](List& r) { r.set_verdict(static_cast<v1::Verdict>(4)); }, {"verdict"}},
                             {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
                         });
}

}  // namespace
}  // namespace interlock::server
