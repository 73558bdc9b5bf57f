"""Generates C++ and a descriptor set from .proto files with Debian's protoc."""

load("@rules_cc//cc:cc_library.bzl", "cc_library")

_PROTOC = "/usr/bin/protoc"
_GRPC_CPP_PLUGIN = "/usr/bin/grpc_cpp_plugin"

# A source of every generating action: an upgrade of protoc must run it again.
_VERSIONS = "@system//:versions.h"

def _sibling(label, suffix):
    """Returns the label of what the macro made for another of its libraries."""
    if ":" in label:
        return label + suffix
    return label + ":" + label.split("/")[-1] + suffix

def _protoc(name, srcs, inputs, outs, arguments):
    """Runs protoc once over `srcs`, part of `inputs`; the package is the import root."""
    native.genrule(
        name = name,
        srcs = inputs + [_VERSIONS],
        outs = outs,
        cmd = " ".join(
            [_PROTOC, "-I" + native.package_name(), "-I/usr/include"] +
            arguments +
            ["$(location %s)" % src for src in srcs],
        ),
        message = "Running protoc for",
        visibility = ["//visibility:private"],
    )

def interlock_proto_library(name, srcs, deps = [], service_srcs = None, visibility = None):
    """Makes C++ libraries and a descriptor set of a list of .proto files.

    The package that calls this is the import root: with `srcs` in
    proto/interlock/v1 a source says `#include "interlock/v1/alert.pb.h"`.
    Generated headers are found as system headers, so the project's warnings do
    not apply to them. Imports of google/protobuf are always found.

    Targets:
      NAME: the .proto files themselves with those they import.
      NAME_cc_proto: messages (*.pb.h), free of gRPC.
      NAME_cc_grpc: services (*.grpc.pb.h) with the messages; none if
        `service_srcs` is empty.
      NAME_descriptor_set: NAME_descriptor_set.binpb, a FileDescriptorSet with
        all imports and comments.

    Args:
      name: the start of all names.
      srcs: .proto files below the calling package.
      deps: labels of other interlock_proto_library whose files these import.
      service_srcs: those of `srcs` that define services; all when not given.
      visibility: who may use the targets.
    """
    if service_srcs == None:
        service_srcs = srcs
    stems = [src[:-len(".proto")] for src in srcs]
    service_stems = [src[:-len(".proto")] for src in service_srcs]
    gendir = "$(GENDIR)/" + native.package_name()

    native.filegroup(
        name = name,
        srcs = srcs + deps,
        visibility = visibility,
    )

    _protoc(
        name = name + "_cc_proto_gen",
        srcs = srcs,
        inputs = srcs + deps,
        outs = [stem + end for stem in stems for end in [".pb.h", ".pb.cc"]],
        arguments = ["--cpp_out=" + gendir],
    )
    cc_library(
        name = name + "_cc_proto",
        srcs = [stem + ".pb.cc" for stem in stems],
        hdrs = [stem + ".pb.h" for stem in stems],
        # Passed as -isystem, which is what frees the headers of -Werror.
        includes = ["."],
        visibility = visibility,
        deps = [_sibling(dep, "_cc_proto") for dep in deps] + ["@system//:protobuf"],
    )

    if service_srcs:
        _protoc(
            name = name + "_cc_grpc_gen",
            srcs = service_srcs,
            inputs = srcs + deps,
            outs = [stem + end for stem in service_stems for end in [".grpc.pb.h", ".grpc.pb.cc"]],
            arguments = [
                "--grpc_out=" + gendir,
                "--plugin=protoc-gen-grpc=" + _GRPC_CPP_PLUGIN,
            ],
        )
        cc_library(
            name = name + "_cc_grpc",
            srcs = [stem + ".grpc.pb.cc" for stem in service_stems],
            hdrs = [stem + ".grpc.pb.h" for stem in service_stems],
            includes = ["."],
            visibility = visibility,
            deps = [":" + name + "_cc_proto"] +
                   [_sibling(dep, "_cc_proto") for dep in deps] +
                   ["@system//:grpcpp"],
        )

    descriptor_set = name + "_descriptor_set.binpb"
    _protoc(
        name = name + "_descriptor_set_gen",
        srcs = srcs,
        inputs = srcs + deps,
        outs = [descriptor_set],
        arguments = [
            "--include_imports",
            "--include_source_info",
            "--descriptor_set_out=$(GENDIR)/%s/%s" % (native.package_name(), descriptor_set),
        ],
    )
    native.filegroup(
        name = name + "_descriptor_set",
        srcs = [descriptor_set],
        visibility = visibility,
    )
