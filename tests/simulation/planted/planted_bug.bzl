"""The campaign with a bug in it: one source file is replaced by a copy with the bug.

The copy is compiled into the binary itself. The linker takes a symbol from there
before it looks into the library of the original, so that no shipped file has to hold
a switch.
"""

load("//bazel:cc.bzl", "interlock_cc_binary")

def planted_bug(name, source):
    """The binary `name`: the campaign with the bug that `name`.bug describes.

    Args:
      name: name of the bug.
      source: label of the file that the bug is in; its library is one that the campaign is linked from.
    """
    bug = name + ".bug"
    copy = "{}_copy/{}".format(name, source.rpartition(":")[2])
    native.genrule(
        name = name + "_copy",
        testonly = True,
        srcs = [
            source,
            bug,
        ],
        outs = [copy],
        cmd = "/usr/bin/python3 $(location plant.py) $(location {}) $(location {}) > $@".format(source, bug),
        tools = ["plant.py"],
    )
    interlock_cc_binary(
        name = name,
        testonly = True,
        srcs = [
            copy,
            "//tests/simulation:campaign.cc",
        ],
        # What a bug no longer uses is no fault of the copy.
        copts = ["-Wno-unused"],
        linkstatic = True,
        deps = ["//tests/simulation:campaign_run"],
    )
