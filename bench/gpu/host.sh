#!/usr/bin/env bash
# The host's time of a run, from the call to the labels, on the software device while it does no work: what a real device
# would have to wait for. Prints a table. On a real GPU: ATROUS_TEST_GPU=1, and the device's time is in it.
#   bench/gpu/host.sh [--size N] [--runs N]
set -euo pipefail
cd "$(dirname "$0")/../.."

dotnet build bench/Atrous.Bench -c Release -v quiet --nologo
if [ "${ATROUS_TEST_GPU-}" != 1 ]; then
    dotnet build tests/Atrous.Cuda.Tests -c Release -v quiet --nologo
    export ATROUS_CUDA_PATH=$PWD/artifacts/device ATROUS_DEVICE_IDLE=1 ATROUS_CUDA_TUNING=off
    export ATROUS_DEVICE_KERNELS=$PWD/artifacts/bin/Atrous.Cuda.Tests/release/libatrous_kernels_host.so
fi
exec artifacts/bin/Atrous.Bench/release/Atrous.Bench host "$@"
