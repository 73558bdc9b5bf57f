#!/bin/bash
# Checks the .proto files against the rules of buf.yaml.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

buf=$(npm_tool buf)
if [[ -z ${buf} ]]; then
  skip "buf is not installed; run npm ci in tests/lint"
fi
# The tool insists on a cache, although nothing is fetched.
cache=$(mktemp -d)
trap 'rm -rf "${cache}"' EXIT
cd "${root}"
HOME=${cache} BUF_CACHE_DIR=${cache} "${buf}" lint
