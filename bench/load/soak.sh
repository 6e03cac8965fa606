#!/usr/bin/env bash
# Good traffic over HTTP and gRPC, and hostile traffic, against `atrous serve` on loopback, and then: every good request answered rightly, no failure of the
# server's own, memory flat, no growth of threads or handles.
#   bench/load/soak.sh [--seconds N] [--rate N]
# 300 seconds as fast as it goes unless told otherwise; an hour at a low rate: --seconds 3600 --rate 10 (requests a second).
# It is the test Serving.Soak.SoakTests, which CI runs for 5 seconds to look for faults alone; samples of the process go to artifacts/soak/<N>s.tsv.
set -euo pipefail
cd "$(dirname "$0")/../.."

export ATROUS_SOAK_SECONDS=300 ATROUS_SOAK_RATE=0
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) ATROUS_SOAK_SECONDS=${2:?--seconds takes a number}; shift 2 ;;
        --rate) ATROUS_SOAK_RATE=${2:?--rate takes a number}; shift 2 ;;
        *) echo "usage: bench/load/soak.sh [--seconds N] [--rate N]" >&2; exit 2 ;;
    esac
done
dotnet build -c Release tests/Atrous.Tests -v quiet --nologo >&2
artifacts/bin/Atrous.Tests/release/Atrous.Tests -class Atrous.Tests.Serving.Soak.SoakTests
