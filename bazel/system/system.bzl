"""The @system repository: one target for each library that Debian installs.

The headers stand in /usr/include, which every compiler reads by itself, so a
target holds little more than link options. That alone would let a result in the
disk cache outlive an upgrade of a library, because Bazel does not see those
headers. Each target therefore also brings in a small header that names the
versions of the installed packages and of the compilers: an upgrade changes that
header and with it the key of every action that depends on the library.
"""

# What the build compiles with or links to. A package that is not installed is
# left out of the list, and a build that needs it fails with the compiler's error.
_PACKAGES = [
    "clang-14",
    "g++",
    "g++-12",
    "libabsl-dev",
    "libbenchmark-dev",
    "libc6-dev",
    "libcurl4-openssl-dev",
    "libgmock-dev",
    "libgoogle-glog-dev",
    "libgrpc++-dev",
    "libgrpc-dev",
    "libgtest-dev",
    "libprotobuf-dev",
    "librocksdb-dev",
    "libssl-dev",
    "libstdc++-12-dev",
    "libtcmalloc-minimal4",
    "protobuf-compiler",
    "protobuf-compiler-grpc",
    "zlib1g-dev",
]

def _system_libraries_impl(repository_ctx):
    result = repository_ctx.execute(
        ["dpkg-query", "--show", "--showformat=// ${Package} ${Version}\n"] + _PACKAGES,
    )
    repository_ctx.file("versions.h", result.stdout, executable = False)
    repository_ctx.symlink(
        repository_ctx.path(Label("//bazel/system:BUILD.system.bazel")),
        "BUILD.bazel",
    )

system_libraries = repository_rule(
    implementation = _system_libraries_impl,
    doc = "Makes the libraries of BUILD.system.bazel known under @NAME.",
    # Asks for the versions again whenever a Bazel server starts.
    local = True,
)
