#!/usr/bin/env bash
# Runs the conformance suite many times in a row (100, or as often as the first
# argument says) while every core has something else to do; stops at the first
# run that fails, and shows it.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-100}

cargo test -q -p rtm-tests --test conformance --no-run
log=$(mktemp)
busy=()
trap 'kill "${busy[@]}" 2>/dev/null; rm -f "$log"' EXIT
for _ in $(seq "$(nproc)"); do
    sh -c 'while :; do :; done' &
    busy+=($!)
done

for run in $(seq "$runs"); do
    # Many of the tests wait for the other side most of the time.
    if ! cargo test -q -p rtm-tests --test conformance -- --test-threads 8 >"$log" 2>&1; then
        cat "$log"
        echo "run $run of $runs failed" >&2
        exit 1
    fi
done
echo "$runs runs passed in $SECONDS s"
