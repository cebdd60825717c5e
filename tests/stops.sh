#!/usr/bin/env bash
# Stops the program at random moments, under load and while its model loads, and prints what the callers got.
# Usage: tests/stops.sh [STOPS OF EACH OF THE FOUR KINDS]
set -euo pipefail
cd "$(dirname "$0")/.."

export TEST_STOPS=${1:-150}
cargo test --locked --test main program::stops -- --nocapture --test-threads 1
