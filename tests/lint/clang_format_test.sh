#!/bin/bash
# Checks that all C++ stands as clang-format writes it.
# To repair: find core storage server client tests -name '*.cc' -o -name '*.h' | xargs clang-format-14 -i
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# Another version formats differently, so no other will do.
if ! command -v clang-format-14 >/dev/null; then
  skip "clang-format-14 is not installed; ./test.sh installs it"
fi
cd "${root}"
find_files '*.cc' '*.h' | xargs -0 --no-run-if-empty clang-format-14 --dry-run --Werror --ferror-limit=20
