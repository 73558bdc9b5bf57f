#!/bin/bash
# Installs the Debian 12 packages that Interlock needs and that are missing.
#
# Usage: bazel/install_deps.sh build|test|dev
#   build  what compiles and runs the server and the client
#   test   also what the tests and linters need
#   dev    also clang, for --config=strict and --config=fuzz
#
# Asks only dpkg when nothing is missing, so that it costs nothing to call it always.
set -euo pipefail

build_packages=(
  bazel-bootstrap
  bazel-rules-java
  g++
  libabsl-dev
  libcurl4-openssl-dev
  libgoogle-glog-dev
  libgrpc++-dev
  libprotobuf-dev
  librocksdb-dev
  libssl-dev
  libtcmalloc-minimal4
  protobuf-compiler
  protobuf-compiler-grpc
  python3
  zlib1g-dev
)
test_packages=(
  clang-format-14
  libbenchmark-dev
  libgmock-dev
  libgtest-dev
  python3-grpcio
  python3-protobuf
)
dev_packages=(
  clang-14
  libclang-rt-14-dev
)

case ${1:-} in
  build) wanted=("${build_packages[@]}") ;;
  test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  dev) wanted=("${build_packages[@]}" "${test_packages[@]}" "${dev_packages[@]}") ;;
  *)
    echo "usage: $0 build|test|dev" >&2
    exit 2
    ;;
esac

# Node may come from elsewhere than Debian, so it is looked for by its commands. With a
# node of another origin, Debian's npm could conflict; it is only asked for as needed.
if [[ $1 != build ]]; then
  command -v node >/dev/null || wanted+=(nodejs)
  command -v npm >/dev/null || wanted+=(npm ca-certificates)
fi

if ! command -v dpkg-query >/dev/null; then
  echo "This is not a Debian system. Install what these packages of Debian 12 hold:" >&2
  echo "  ${wanted[*]}" >&2
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "${package}" 2>/dev/null || true)
  if [[ ${status} != installed ]]; then
    missing+=("${package}")
  fi
done
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi

echo "Installing ${missing[*]}"
as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "Neither root nor sudo: ask somebody to run  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get
  -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 --quiet --yes)
# Old package lists are often good enough, and then there is no need for new ones.
if ! "${apt[@]}" install --no-install-recommends "${missing[@]}"; then
  "${apt[@]}" update
  "${apt[@]}" install --no-install-recommends "${missing[@]}"
fi
