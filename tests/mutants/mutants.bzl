"""Builds faulty copies of a source file and demands that its tests notice.

No shipped source holds a switch: a mutant is a copy, made while building, in which
one text is replaced. It is compiled straight into a copy of the file's tests. There
it stands before the library that holds the sound file, so the linker takes every
function from the mutant and leaves the sound object in its archive; were it to take
both, it would refuse to link.
"""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load("//bazel:cc.bzl", "interlock_cc_library")

# Headers come from whatever the tests depend on, and a mutation may leave code that
# a compiler warns of.
_COPTS = [
    "-ffp-contract=off",
    "-w",
]
_FEATURES = ["-layering_check"]

# Built for their test only.
_PARTS = ["manual"]

def _mutated_source_impl(ctx):
    mutant = ctx.actions.declare_file(ctx.label.name + ".cc")
    description = ctx.actions.declare_file(ctx.label.name + ".txt")
    ctx.actions.run(
        executable = "/usr/bin/python3",
        arguments = [
            ctx.file._maker.path,
            ctx.file.source.path,
            ctx.attr.find,
            ctx.attr.replace,
            mutant.path,
            description.path,
        ],
        inputs = [ctx.file._maker, ctx.file.source],
        outputs = [mutant, description],
        mnemonic = "Mutate",
    )
    return [
        DefaultInfo(files = depset([mutant])),
        OutputGroupInfo(description = depset([description])),
    ]

_mutated_source = rule(
    implementation = _mutated_source_impl,
    doc = "A copy of `source` in which `find`, which occurs once, is `replace`.",
    attrs = {
        "find": attr.string(mandatory = True),
        "replace": attr.string(mandatory = True),
        "source": attr.label(allow_single_file = [".cc"], mandatory = True),
        "_maker": attr.label(allow_single_file = True, default = ":make_mutant.py"),
    },
)

def mutants(name, source, tests, deps, changes, skip = "", **kwargs):
    """Makes NAME_test, which fails while a mutant of a source file survives the file's tests.

    Args:
      name: the start of all names.
      source: label of the .cc file to change.
      tests: labels of the .cc files of its tests.
      deps: what the tests need; the library of `source` is among it or below it.
      changes: pairs [find, replace]; each is one mutant. `find` occurs once in `source`.
      skip: a pattern of tests that take long and that no mutant here needs.
      **kwargs: further attributes of the test.
    """
    interlock_cc_library(
        name = name + "_cases",
        testonly = True,
        srcs = tests,
        features = _FEATURES,
        tags = _PARTS,
        deps = deps + ["@system//:gtest_main"],
        alwayslink = True,
    )
    cc_binary(
        name = name + "_sound",
        testonly = True,
        tags = _PARTS,
        deps = [name + "_cases"],
    )
    data = [name + "_sound"]
    arguments = ["--skip=" + skip, "$(location %s_sound)" % name]
    for i, (find, replace) in enumerate(changes):
        mutant = "%s_mutant_%d" % (name, i + 1)
        _mutated_source(
            name = mutant,
            source = source,
            find = find,
            replace = replace,
            tags = _PARTS,
        )
        native.filegroup(
            name = mutant + "_description",
            srcs = [mutant],
            output_group = "description",
            tags = _PARTS,
        )
        cc_binary(
            name = mutant + "_tests",
            testonly = True,
            srcs = [mutant],
            copts = _COPTS,
            features = _FEATURES,
            tags = _PARTS,
            deps = [name + "_cases"],
        )
        data += [mutant + "_tests", mutant + "_description"]
        arguments += ["$(location %s_tests)" % mutant, "$(location %s_description)" % mutant]
    native.py_test(
        name = name + "_test",
        size = "medium",
        srcs = ["run_mutants.py"],
        main = "run_mutants.py",
        args = arguments,
        data = data,
        python_version = "PY3",
        **kwargs
    )
