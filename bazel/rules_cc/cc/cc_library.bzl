"""Native cc_library, loaded from where today's rules_cc has it."""

cc_library = native.cc_library
