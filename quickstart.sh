#!/usr/bin/env bash
# Installs what is missing, builds Interlock, serves on an embedded store and runs the demo; then keeps serving until
# Ctrl-C. With --once it serves on a free port and a temporary store, and ends after the demo.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
started=$(date +%s.%N)
once=false
for argument in "$@"; do
  case "$argument" in
    --once) once=true ;;
    *)
      echo "usage: ./quickstart.sh [--once]" >&2
      exit 2
      ;;
  esac
done

seconds_since_start() {
  awk -v from="$started" -v to="$(date +%s.%N)" 'BEGIN { printf "%.1f", to - from }'
}

echo "1/4 Installing what is missing ..."
bazel/install_deps.sh build
source bazel/environment.sh
warmth=cold
if [ -n "$(ls -A "$interlock_cache/interlock-bazel")" ]; then warmth=warm; fi

echo "2/4 Building (the first time takes some minutes) ..."
"${bazel[@]}" build "${bazel_options[@]}" -c opt //server/main:interlockd //client/cli:interlockctl
bin=$("${bazel[@]}" info "${bazel_options[@]}" -c opt bazel-bin 2>/dev/null)
interlockctl="$bin/client/cli/interlockctl"

echo "3/4 Starting the server ..."
listen=127.0.0.1:7420
data_dir=./interlock-data
if $once; then
  listen=127.0.0.1:0
  data_dir=$(mktemp -d)
fi
output=$(mktemp)
"$bin/server/main/interlockd" --listen="$listen" --data_dir="$data_dir" >"$output" 2>"$output.log" &
server=$!

finish() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -f "$output" "$output.log"
  if $once; then rm -rf "$data_dir"; fi
}
trap finish EXIT
trap 'exit 0' INT TERM

until address=$(sed -n 's/^interlockd listening on //p' "$output") && [ -n "$address" ]; do
  if ! kill -0 "$server" 2>/dev/null; then
    echo "The server did not start:" >&2
    cat "$output.log" >&2
    exit 1
  fi
  sleep 0.1
done
export INTERLOCK_ADDRESS=$address
echo "    serving on $address, data in $data_dir"
"$interlockctl" decide --tenant="quickstart-$$" --agent=first --type=write_blog --risk=0.1 --impact=0.1
echo "    from start to first verdict: $(seconds_since_start) s ($warmth build cache)"

echo "4/4 Running the demo ..."
"$interlockctl" demo
if $once; then exit 0; fi

echo
echo "Still serving on $address. In another terminal try:"
echo "  $interlockctl status"
echo "  $interlockctl alerts watch"
echo "Stop with Ctrl-C; the data stays in $data_dir."
wait "$server"
