#!/usr/bin/env bash
# Minutes of load with faults, as tests/endurance describes it: no job is lost or doubled, and memory stays flat.
# Usage: tests/endurance.sh [MINUTES]
set -euo pipefail
cd "$(dirname "$0")/.."

ENDURANCE_MINUTES=${1:-5} cargo test --locked --test main endurance::no_job -- --ignored --nocapture
