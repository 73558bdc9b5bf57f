#!/bin/bash
# Checks that the API can still be spoken by those who know it as it was released: its schema against the image of the
# released one, tests/lint/released_api.binpb. After a release the image is made anew:
#
#   tests/lint/node_modules/.bin/buf build -o tests/lint/released_api.binpb
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
HOME=${cache} BUF_CACHE_DIR=${cache} "${buf}" breaking --against tests/lint/released_api.binpb
