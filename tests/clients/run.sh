#!/usr/bin/env bash
# Drives the real program with other people's clients. Needs the program that `cargo build` leaves, and Python's venv and pip;
# Chromium and a JDK are installed by apt where they are missing, and what else is installed stays in the target folder. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Seconds for each of the three runs: nothing that hangs may hold up the rest.
limit=900
target=${CARGO_TARGET_DIR:-target}
tests=tests/clients
# One package in two releases needs two environments, and the frameworks want releases of their own of what others use.
tests_2=$tests/runpod_2
tests_3=$tests/frameworks
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

packages=()
command -v chromedriver >/dev/null || packages+=(chromium chromium-driver)
command -v javac >/dev/null || packages+=(default-jdk-headless)
if ((${#packages[@]})); then
    apt-get --quiet update
    apt-get --quiet install --yes --no-install-recommends "${packages[@]}"
fi

export PYTHONDONTWRITEBYTECODE=1
run "$tests_2" clients-runpod-2 "$@"
run "$tests_3" clients-frameworks "$@"
run "$tests" clients --ignore "$tests_2" --ignore "$tests_3" "$@"
