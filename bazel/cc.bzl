"""C++ rules for code of this project.

They add the project's warnings, which generated code and other people's headers
could not meet, and nothing else: all attributes are those of the native rules.
Targets are private unless they or their package say otherwise.
"""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load("@rules_cc//cc:cc_library.bzl", "cc_library")
load("@rules_cc//cc:cc_test.bzl", "cc_test")

_COPTS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    # clang counts this to -Wconversion and gcc does not; one rule for both.
    "-Wno-sign-conversion",
    "-Werror",
    # A multiplication fused with an addition rounds once instead of twice, so a
    # result would depend on the compiler. Decisions must not.
    "-ffp-contract=off",
] + select({
    # Compiles as fast as without, and simulations run many times as fast.
    "//bazel:fastbuild": ["-O1"],
    "//conditions:default": [],
})

# Makes every target, also one that uses no library, be built again when the
# compiler changes.
_VERSIONS = "@system//:versions"

# Read by the tests themselves under --config=tsan.
_TSAN_SUPPRESSIONS = "//tests/sanitizer:tsan.supp"

def interlock_cc_library(name, copts = [], deps = [], **kwargs):
    """A cc_library under the project's warnings.

    Args:
      name: name of the target.
      copts: further compiler options; they come after the project's.
      deps: what the library includes directly.
      **kwargs: further attributes of cc_library.
    """
    cc_library(
        name = name,
        copts = _COPTS + copts,
        deps = deps + [_VERSIONS],
        **kwargs
    )

def interlock_cc_test(name, size = "small", copts = [], data = [], deps = [], **kwargs):
    """A cc_test under the project's warnings, small unless it says otherwise.

    Args:
      name: name of the target.
      size: a small test is killed after one minute, a medium one after five.
      copts: further compiler options; they come after the project's.
      data: files that the test reads.
      deps: what the test includes directly; most need @system//:gtest_main.
      **kwargs: further attributes of cc_test.
    """
    cc_test(
        name = name,
        size = size,
        copts = _COPTS + copts,
        data = data + [_TSAN_SUPPRESSIONS],
        deps = deps + [_VERSIONS],
        **kwargs
    )

def interlock_cc_binary(name, copts = [], deps = [], **kwargs):
    """A cc_binary under the project's warnings.

    Args:
      name: name of the target.
      copts: further compiler options; they come after the project's.
      deps: what the program includes directly.
      **kwargs: further attributes of cc_binary.
    """
    cc_binary(
        name = name,
        copts = _COPTS + copts,
        deps = deps + [_VERSIONS],
        **kwargs
    )
