#!/usr/bin/env bash
# Builds the test-only software device into artifacts/device. Called by the build of tests/Atrous.Cuda.Tests; safe to run again.
set -euo pipefail
cd "$(dirname "$0")/../.."

for tool in cmake ninja c++; do
    command -v "$tool" >/dev/null || { echo "error: $tool is missing; native/build.sh installs it" >&2; exit 1; }
done
cmake -G Ninja -S tests/device -B artifacts/native/device >/dev/null
cmake --build artifacts/native/device
