#!/usr/bin/env bash
# Fuzzes every target for a few seconds (5, or as many as the first argument
# says) from the committed seeds. Says what is missing where that cannot be
# done, and builds the targets if at least that can; the seeds are run by the
# tests of the workspace.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-5}

missing=()
# libFuzzer is C++ and is built with every target.
compiler=yes
if ! command -v "${CXX:-c++}" >/dev/null; then
    compiler=
    missing+=("C++ compiler")
fi
if ! rustup toolchain list 2>/dev/null | grep -q '^nightly'; then
    missing+=("nightly toolchain")
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
    missing+=("cargo-fuzz")
fi

if [ ${#missing[@]} -gt 0 ]; then
    printf 'fuzzing skipped: no %s\n' "${missing[@]}"
    if [ -n "$compiler" ]; then
        cargo build --quiet --manifest-path fuzz/Cargo.toml --bins
    else
        echo "the fuzz targets are not built either"
    fi
    exit 0
fi

# What is found to be new is not kept: it would make every run longer.
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT

cargo +nightly fuzz build -s none
for seeds in fuzz/seeds/*/; do
    target=$(basename "$seeds")
    mkdir "$corpus/$target"
    log="$corpus/$target.log"
    # One input may take 20 s before it counts as an endless loop.
    if ! cargo +nightly fuzz run -s none "$target" "$corpus/$target" "$seeds" -- \
        -max_total_time="$seconds" -timeout=20 >"$log" 2>&1; then
        cat "$log" >&2
        echo "fuzzing $target failed" >&2
        exit 1
    fi
    echo "$target: $(grep '^Done ' "$log")"
done
