#!/usr/bin/env bash
# HTTP beside gRPC at `atrous serve` on loopback, with the model in the box: the same picture by as many clients, in turns.
#   bench/load/grpc.sh [--seconds N] [--rounds N] [--clients "1 4 16"] [--image FILE] [--output FILE]
# Pictures a second, the median and the 99th percentile of both, and gRPC's share of HTTP's. 30 seconds a turn, 3 turns of both for
# 1, 4 and 16 clients unless told otherwise: nine minutes. A 99th percentile takes some hundreds of requests a turn. Do it on a
# machine that has nothing else to do.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=30 rounds=3 clients="1 4 16" image=samples/street.png output=
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=${2:?--seconds takes a number}; shift 2 ;;
        --rounds) rounds=${2:?--rounds takes a number}; shift 2 ;;
        --clients) clients=${2:?--clients takes numbers}; shift 2 ;;
        --image) image=${2:?--image takes a file}; shift 2 ;;
        --output) output=${2:?--output takes a file}; shift 2 ;;
        *) echo "usage: bench/load/grpc.sh [--seconds N] [--rounds N] [--clients \"N N\"] [--image FILE] [--output FILE]" >&2; exit 2 ;;
    esac
done

dotnet build -c Release managed/Atrous.Cli -v quiet --nologo >&2
dotnet build -c Release bench/Atrous.Bench -v quiet --nologo >&2
mkdir -p artifacts/load
log=artifacts/load/grpc.log
artifacts/bin/Atrous.Cli/release/atrous serve --model street=models/atrous-street.safetensors --port 0 --grpc-port 0 \
    --drain-delay 0 2>"$log" >/dev/null &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
addresses=
for _ in $(seq 600); do
    addresses=$(sed -nE 's/.*serving on (http[^,]*), gRPC on (http[^ ]*).*/\1 \2/p' "$log")
    [ -n "$addresses" ] && curl -sf "${addresses% *}readyz" >/dev/null && break
    kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.1
done
# shellcheck disable=SC2086 # several numbers
artifacts/bin/Atrous.Bench/release/Atrous.Bench transports --http "${addresses% *}" --grpc "${addresses#* }" --model street \
    --image "$image" --seconds "$seconds" --rounds "$rounds" --clients $clients |
    if [ -n "$output" ]; then tee "$output"; else cat; fi
