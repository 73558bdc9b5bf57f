#!/bin/bash
# Checks that all BUILD and .bzl files are formatted and free of lint warnings.
# To repair: see CONTRIBUTING.md.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

buildifier=$(npm_tool buildifier)
if [[ -z ${buildifier} ]]; then
  skip "buildifier is not installed; run npm ci in tests/lint"
fi
cd "${root}"
find_files 'BUILD*.bazel' WORKSPACE '*.bzl' |
  xargs -0 --no-run-if-empty "${buildifier}" -config="${root}/.buildifier.json"
