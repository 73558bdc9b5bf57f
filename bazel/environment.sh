# Where Bazel and npm keep what they make; sourced by the scripts of the top folder.
#
# Sets `bazel`, the command with its startup options, and `bazel_options`, options that
# every build and test of the scripts passes. A home folder is used when there is one
# that can be written to, and a folder for temporary files otherwise.

interlock_cache=${XDG_CACHE_HOME:-${HOME:+${HOME}/.cache}}
bazel=(bazel)
if [[ -z ${interlock_cache} ]] || ! mkdir -p "${interlock_cache}/interlock-bazel" 2>/dev/null ||
  [[ ! -w ${interlock_cache}/interlock-bazel ]]; then
  interlock_cache=${TMPDIR:-/tmp}/interlock-$(id -u)
  mkdir -p "${interlock_cache}/interlock-bazel"
  bazel+=("--output_user_root=${interlock_cache}/bazel")
  export HOME=${interlock_cache}
  export npm_config_cache=${interlock_cache}/npm
fi
bazel_options=("--disk_cache=${interlock_cache}/interlock-bazel")
