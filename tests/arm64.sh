#!/usr/bin/env bash
# Builds the program for arm64 and runs its kernels' tests and the tests of its vectors under an emulator, as processors
# that differ in their instructions. Emulation proves results, and says nothing about speed.
# Usage: tests/arm64.sh [FOLDER]. Needs root and debootstrap, which apt installs if it is missing. A Debian system with
# Rust for arm64 is set up in FOLDER, or target/arm64, once: 2 GB, and as much again for the build.
set -euo pipefail
cd "$(dirname "$0")/.."

triple=aarch64-unknown-linux-gnu
# With dot products and I8MM, with dot products only, and with neither.
kernel_processors=(max neoverse-n1 cortex-a72)
vector_processors=(max neoverse-n1)
# Golden vectors, and vectors that have the same bits on every architecture and in every batch.
vector_tests=(model::same_bits model::golden model::batches model::fp16 model::int8 model::heads)

folder=$(realpath --canonicalize-missing "${1:-target/arm64}")
root=$folder/root
registry=${CARGO_HOME:-$HOME/.cargo}/registry
cache=${XDG_CACHE_HOME:-$HOME/.cache}/runpod-query

# Runs a shell's command in the system, with the sources, and with what was downloaded for this machine.
inside() {
    mkdir -p "$registry" "$cache" "$root"/{source,target} "$root"/root/.cargo/registry "$root"/root/.cache/runpod-query
    # The mounts end with the command, whose own shell expands its variables.
    # shellcheck disable=SC2016
    SOURCE=$PWD ROOT=$root REGISTRY=$registry CACHE=$cache unshare --mount bash -euc '
        mount --bind "$SOURCE" "$ROOT/source"
        mount --bind "$REGISTRY" "$ROOT/root/.cargo/registry"
        mount --bind "$CACHE" "$ROOT/root/.cache/runpod-query"
        mount -t proc proc "$ROOT/proc"
        mount --bind /dev "$ROOT/dev"
        mount --bind /sys "$ROOT/sys"
        exec chroot "$ROOT" env --ignore-environment \
            PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CARGO_TARGET_DIR=/target "$@"
    ' inside bash -euc "$1"
}

if [ ! -e "$folder/complete" ]; then
    command -v debootstrap >/dev/null || apt-get --quiet install --yes debootstrap
    rm -rf "$root"
    mkdir -p "$root"
    packages=(rustc cargo gcc g++ cmake make ca-certificates python3-pip qemu-user)
    packages+=({gcc,g++}-aarch64-linux-gnu libc6-dev-arm64-cross)
    debootstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" sid "$root"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    # Rust's standard library for arm64 belongs to another architecture, and its installation would bring that
    # architecture's C library. Its files are enough.
    # shellcheck disable=SC2016
    inside '
        dpkg --add-architecture arm64
        # A mirror may lag behind.
        apt-get --quiet --option Acquire::Check-Valid-Until=false update
        cd /tmp
        version=$(dpkg-query --show --showformat="\${Version}" rustc)
        library=$(dpkg-query --show --showformat="\${Package}\n" "libstd-rust-[0-9]*")
        apt-get --quiet download "libstd-rust-dev:arm64=$version" "$library:arm64=$version"
        for package in libstd-rust-*.deb; do
            dpkg --extract "$package" /
        done
        rm libstd-rust-*.deb
    '
    touch "$folder/complete"
fi

# Tests as one of the processors.
run_tests() {
    local processor=$1
    shift
    echo "arm64, $processor: $*"
    inside "
        cd /source
        export QEMU_CPU=$processor QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64
        cargo test --locked --target $triple $*
    "
}

for processor in "${kernel_processors[@]}"; do
    run_tests "$processor" --package kernels
done
for processor in "${vector_processors[@]}"; do
    run_tests "$processor" --test main -- "${vector_tests[@]}"
done
