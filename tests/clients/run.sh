#!/usr/bin/env bash
# Drives the real program with other people's clients. Needs the program that `cargo build` leaves, and Python's venv and pip;
# Chromium is installed by apt where it is missing, and what else is installed stays in the target folder. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Seconds for each of the two runs: nothing that hangs may hold up the rest.
limit=900
target=${CARGO_TARGET_DIR:-target}
tests=tests/clients
# One package in two releases needs two environments.
tests_2=$tests/runpod_2
# Pytest's exit code where the arguments select no test.
none_selected=5

# Runs the tests in a folder, in an environment with the requirements of that folder.
run() {
    local folder=$1 environment=$target/$2
    shift 2
    if ! cmp --silent "$folder/requirements.txt" "$environment/requirements.txt"; then
        rm -rf "$environment"
        python3 -m venv "$environment"
        "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$folder/requirements.txt"
        cp "$folder/requirements.txt" "$environment/requirements.txt"
    fi
    local code=0
    timeout --signal=INT --kill-after=30 "$limit" "$environment/bin/python" -m pytest "$folder" --program "$target/debug/runpod-query" "$@" || code=$?
    if ((code != 0 && code != none_selected)); then
        exit "$code"
    fi
}

if ! command -v chromedriver >/dev/null; then
    apt-get --quiet update
    apt-get --quiet install --yes --no-install-recommends chromium chromium-driver
fi

export PYTHONDONTWRITEBYTECODE=1
run "$tests_2" clients-runpod-2 "$@"
run "$tests" clients --ignore "$tests_2" "$@"
