# Shared by the lint tests; sourced, never run.

# The tree to check: the first argument, or else the one that holds this file. A test
# runs by a link, so the link is followed.
lint_folder=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=${1:-$(dirname "$(dirname "${lint_folder}")")}
if [[ ! -f ${root}/WORKSPACE ]]; then
  echo "${root} is not the root of the tree" >&2
  exit 2
fi

# Prints the files below the root whose names match one of the given patterns, each
# ended by a zero byte, without those that tools made.
find_files() {
  local names=()
  local pattern
  for pattern in "$@"; do
    names+=(-o -name "${pattern}")
  done
  find "${root}" \( -name .git -o -name node_modules -o -path "${root}/bazel-*" \) -prune \
    -o -type f \( "${names[@]:1}" \) -print0
}

# Ends the test without a verdict; test.sh shows the reason.
skip() {
  echo "SKIPPED: $1"
  exit 0
}

# Prints the path of a linter that npm installed for this machine, or nothing. It is
# run without node, so that the tests do not depend on where node is.
npm_tool() {
  local tool=$1
  local modules="${lint_folder}/node_modules"
  local path
  case "${tool}-$(uname -m)" in
    buf-x86_64) path="${modules}/@bufbuild/buf-linux-x64/bin/buf" ;;
    buf-aarch64) path="${modules}/@bufbuild/buf-linux-aarch64/bin/buf" ;;
    buildifier-x86_64) path="${modules}/@bazel/buildifier/buildifier-linux_amd64" ;;
    buildifier-aarch64) path="${modules}/@bazel/buildifier/buildifier-linux_arm64" ;;
    *) return ;;
  esac
  if [[ -f ${path} ]]; then
    echo "${path}"
  fi
}
