#!/usr/bin/env bash
# Runs the program without std, then asserts that it cannot be built once
# rtm-proto brings std in, as a check that cannot fail would prove nothing.
set -euo pipefail
export CARGO_TERM_COLOR=never
cd "$(dirname "$0")"

if [ "$(uname -s)" != Linux ]; then
    echo "skipped: the program links libc the way of Linux"
    exit 0
fi

cargo run --quiet

if log=$(cargo build --features std 2>&1); then
    echo "with std in the graph the program still builds, so it proves nothing" >&2
    exit 1
fi
if ! grep -q 'error\[E0152\].*`panic_impl`' <<<"$log"; then
    printf 'the control failed, but not for a second panic handler:\n%s\n' "$log" >&2
    exit 1
fi
echo "rtm-proto with std cannot be built into it, as it should not"
