#!/usr/bin/env bash
# Builds artifacts/native/release/native/libatrous.so. Called by `dotnet build`; safe to run by hand, and again.
# Installs missing system packages where the caller may (root on Debian or Ubuntu), else prints the line that does.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v cmake >/dev/null || missing+=(cmake)
command -v ninja >/dev/null || missing+=(ninja-build)
command -v c++ >/dev/null || missing+=(g++)

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
    else
        echo "error: libatrous needs packages that are not installed; run: sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi

cmake --preset release >/dev/null
cmake --build --preset release
