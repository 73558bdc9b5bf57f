"""Native cc_test, loaded from where today's rules_cc has it."""

cc_test = native.cc_test
