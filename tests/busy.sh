#!/usr/bin/env bash
# Runs the tests many times while every core is kept busy by something else, and names those that fail.
# Usage: tests/busy.sh [TIMES] [ARGUMENTS OF cargo test...]
set -euo pipefail
cd "$(dirname "$0")/.."

times=${1:-10}
[ $# -eq 0 ] || shift

cargo test --locked --workspace --no-run

busy=()
trap 'kill "${busy[@]}"' EXIT
for _ in $(seq "$(getconf _NPROCESSORS_ONLN)"); do
    # It ends with this script, however that ends.
    while kill -0 $$ 2>/dev/null; do :; done &
    busy+=($!)
done

logs=$(mktemp -d)
failures=0
for run in $(seq "$times"); do
    begin=$SECONDS
    if cargo test --locked --workspace --no-fail-fast "$@" >"$logs/$run" 2>&1; then
        outcome="passed"
    else
        outcome="FAILED, see $logs/$run"
        failures=$((failures + 1))
    fi
    echo "run $run of $times: $outcome ($((SECONDS - begin)) s)"
    # No match is what is hoped for.
    grep -hE '^test .* \.\.\. FAILED$|^error' "$logs/$run" || true
done
echo "$failures of $times runs failed"
[ "$failures" -eq 0 ]
