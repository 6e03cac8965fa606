#!/usr/bin/env bash
# The load test of the server, beside a plain onnxruntime-node server with the same model, on this machine:
#   bench/load/run.sh [--seconds N] [--output FILE]
# Builds what it needs, loads each for N seconds (10 unless given) per number of clients, in turns, and writes a table to
# standard output and to FILE. With 10 seconds it takes under five minutes. Do it on a machine that has nothing else to do.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=10 output=
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=${2:?--seconds takes a number}; shift 2 ;;
        --output) output=${2:?--output takes a file}; shift 2 ;;
        *) echo "usage: bench/load/run.sh [--seconds N] [--output FILE]" >&2; exit 2 ;;
    esac
done

model=models/atrous-street.safetensors
onnx=artifacts/load/street.onnx
mkdir -p artifacts/load
[ -d bench/load/node_modules ] ||
    npm install --prefix bench/load --ignore-scripts --no-audit --no-fund --loglevel=error >&2
dotnet build -c Release managed/Atrous.Cli -v quiet --nologo >&2
dotnet build -c Release bench/Atrous.Bench -v quiet --nologo >&2
atrous=artifacts/bin/Atrous.Cli/release/atrous
"$atrous" export "$model" -o "$onnx" --quiet

version() { node -p "require('./bench/load/node_modules/$1/package.json').version"; }
facts=$(printf '{"commit":"%s","dotnet":"%s","ort":"%s","autocannon":"%s"}' "$(git rev-parse --short HEAD)" "$(dotnet --version)" \
    "$(version onnxruntime-node)" "$(version autocannon)")
node bench/load/load.mjs "$model" "$onnx" "$atrous" artifacts/bin/Atrous.Bench/release/Atrous.Bench "$seconds" "$facts" |
    if [ -n "$output" ]; then tee "$output"; else cat; fi
