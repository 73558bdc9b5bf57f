"""Native cc_import, loaded from where today's rules_cc has it."""

cc_import = native.cc_import
