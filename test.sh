#!/bin/bash
# Installs what is missing, builds everything and runs all tests.
#
# Usage: ./test.sh [OPTIONS AND TARGETS OF bazel test]   (default: //...)
#
# The last line is `N passed, N failed`, counted in test targets; whatever could not be
# built counts as failed. Exits with 0 only when nothing failed.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

bazel/install_deps.sh test
source bazel/environment.sh

# Installs the pinned packages of one folder, unless they are there already. Without a
# network the tests that need them are skipped, and say so.
install_npm() {
  local folder=$1
  local stamp=${folder}/node_modules/.installed
  if cmp --silent "${folder}/package-lock.json" "${stamp}"; then
    return
  fi
  echo "Installing the packages of ${folder}/package-lock.json"
  if (cd "${folder}" && npm ci --ignore-scripts --no-audit --no-fund); then
    cp "${folder}/package-lock.json" "${stamp}"
  else
    echo "npm could not install the packages of ${folder}; tests that need them are skipped" >&2
  fi
}
for folder in tests/lint tests/e2e/node; do
  if [[ -f ${folder}/package-lock.json ]]; then
    install_npm "${folder}"
  fi
done

# Tests get a small PATH of their own. A node from elsewhere is added at its end.
node=$(command -v node || true)
case ${node} in
  '' | /usr/bin/* | /usr/local/bin/* | /bin/*) ;;
  *) bazel_options+=("--test_env=PATH=/usr/bin:/bin:/usr/local/bin:$(dirname "$(readlink -f "${node}")")") ;;
esac

# Reference answers and recorded runs are not part of this tree. Where they stand beside it, or INTERLOCK_SHARED names
# their folder, the tests that need them run; elsewhere those tests say that they are skipped.
shared=${INTERLOCK_SHARED:-../shared}
if [[ -d ${shared}/vectors ]]; then
  bazel_options+=("--test_env=INTERLOCK_SHARED=$(readlink -f "${shared}")")
else
  echo "SKIPPED: tests of reference answers and recorded runs; set INTERLOCK_SHARED to the folder that holds them"
fi

targets=("$@")
if [[ $# -eq 0 ]]; then
  targets=(//...)
fi
events=$(mktemp)
trap 'rm -f "${events}"' EXIT
exit_code=0
"${bazel[@]}" test "${bazel_options[@]}" --keep_going "--build_event_json_file=${events}" \
  "${targets[@]}" || exit_code=$?
echo
/usr/bin/python3 bazel/test_summary.py "${events}" "${exit_code}"
