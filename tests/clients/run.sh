#!/usr/bin/env bash
# Drives the real program with other people's clients. Needs the program that `cargo build` leaves, and Python's venv and pip;
# Chromium is installed by apt where it is missing, and what else is installed stays in the target folder. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Seconds for everything: nothing that hangs may hold up the rest.
limit=900
target=${CARGO_TARGET_DIR:-target}
environment=$target/clients
requirements=tests/clients/requirements.txt

if ! cmp --silent "$requirements" "$environment/requirements.txt"; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$environment/requirements.txt"
fi

if ! command -v chromedriver >/dev/null; then
    apt-get --quiet update
    apt-get --quiet install --yes --no-install-recommends chromium chromium-driver
fi

export PYTHONDONTWRITEBYTECODE=1
exec timeout --signal=INT --kill-after=30 "$limit" "$environment/bin/python" -m pytest tests/clients --program "$target/debug/runpod-query" "$@"
