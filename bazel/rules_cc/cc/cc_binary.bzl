"""Native cc_binary, loaded from where today's rules_cc has it."""

cc_binary = native.cc_binary
