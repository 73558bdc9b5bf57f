#!/bin/bash
# Shows that each lint test passes on a clean tree and fails on a planted fault.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

tree=$(mktemp -d)
trap 'rm -rf "${tree}"' EXIT
cp "${root}/.clang-format" "${root}/.buildifier.json" "${root}/buf.yaml" "${tree}"
mkdir -p "${tree}/core" "${tree}/proto/interlock/v1"
touch "${tree}/WORKSPACE"
echo 'int F() { return 1; }' >"${tree}/core/x.cc"
printf 'filegroup(\n    name = "x",\n    srcs = ["x.cc"],\n)\n' >"${tree}/core/BUILD.bazel"
cat >"${tree}/proto/interlock/v1/x.proto" <<'PROTO'
syntax = "proto3";

package interlock.v1;

// Says something.
message X {
  // What it says.
  string text = 1;
}
PROTO

# Runs one lint test on the tree; expects it to end as told.
expect() {
  local verdict=$1
  local test=$2
  local output
  local found=passes
  output=$("${lint_folder}/${test}" "${tree}" 2>&1) || found=fails
  if [[ ${output} == SKIPPED:* ]]; then
    echo "${output}"
  elif [[ ${found} != "${verdict}" ]]; then
    printf '%s %s, but the tree was made so that it %s:\n%s\n' "${test}" "${found}" "${verdict}" "${output}"
    exit 1
  fi
}

buf=$(npm_tool buf)
if [[ -n ${buf} ]]; then
  mkdir -p "${tree}/tests/lint" "${tree}/cache"
  (cd "${tree}" && HOME=${tree}/cache BUF_CACHE_DIR=${tree}/cache "${buf}" build -o tests/lint/released_api.binpb)
fi

expect passes clang_format_test.sh
expect passes buf_breaking_test.sh
expect passes buildifier_test.sh
expect passes buf_lint_test.sh

echo 'int  F( ) { return 1; }' >"${tree}/core/x.cc"
expect fails clang_format_test.sh

# Once wrongly formatted, once well formatted with a warning.
printf 'filegroup(name = "x", srcs = ["x.cc"])\n' >"${tree}/core/BUILD.bazel"
expect fails buildifier_test.sh
printf 'load("//bazel:cc.bzl", "unused")\n' >"${tree}/core/BUILD.bazel"
expect fails buildifier_test.sh

sed -i '/What it says/d' "${tree}/proto/interlock/v1/x.proto"
expect fails buf_lint_test.sh

# A field that changes its type cannot be read by those who know the old one.
sed -i 's/string text/int64 text/' "${tree}/proto/interlock/v1/x.proto"
expect fails buf_breaking_test.sh
