#!/usr/bin/env bash
# Everything that bench/results says of a CPU's networks and kernels, in one go on a machine that has nothing else to do:
#   bench/run.sh [--output DIR] [--threads N] [--seconds N] [NAME ...]
# Atrous, ONNX Runtime and PyTorch side by side on the networks of bench/peers/networks.py (all, unless some are NAMEd) and
# the real model of ../shared/models where it is there, in fp32, bf16 and int8; the kernels at the networks' layer shapes; charts.
# Networks of random weights are quantised on noise, whole; the real one on its pictures, as far as its masks agree. Writes DIR,
# bench/results/<cpu>/ unless given: peers.md, int8.md, ops.md, sizes.md, layers/, what they were made from, *.svg. Needs python3-torch,
# python3-matplotlib.
set -euo pipefail
cd "$(dirname "$0")/.."

cpu=$(lscpu | sed -n 's/^Model name: *//p' | head -1)
slug=$(echo "$cpu-$(nproc)-cores" | tr '[:upper:]' '[:lower:]' | sed -E 's/\((r|tm)\)//g; s/ processor//; s/[^a-z0-9]+/-/g')
output=bench/results/$slug threads=2 seconds=40 names=()
while [ $# -gt 0 ]; do
    case $1 in
        --output) output=${2:?--output takes a folder}; shift ;;
        --threads) threads=${2:?--threads takes a number}; shift ;;
        --seconds) seconds=${2:?--seconds takes a number}; shift ;;
        -*) sed -n '3s/^# *//p' "$0" >&2; exit 2 ;;
        *) names+=("$1") ;;
    esac
    shift
done
declare -A size=([deeplabv3plus_resnet101]=513x513 [deeplabv3plus_mobilenetv2]=513x513 [deeplabv3_resnet50]=520x520
    [deeplabv3plus_xception]=513x513 [denseaspp161]=512x1024 [deeplabv3plus_mobilenetv2_ade20k32]=512x512)
real=../shared/models/deeplabv3plus_mobilenetv2_ade20k32.safetensors
if [ ${#names[@]} -eq 0 ]; then
    names=(deeplabv3plus_resnet101 deeplabv3plus_mobilenetv2 deeplabv3_resnet50 deeplabv3plus_xception denseaspp161)
    [ -e "$real" ] && names+=("$(basename "$real" .safetensors)")
fi
for name in "${names[@]}"; do
    [ -n "${size[$name]:-}" ] || { echo "error: there is no network $name; there are ${!size[*]}" >&2; exit 2; }
done

python=${ATROUS_PYTHON:-/usr/bin/python3}
"$python" -c 'import torch, matplotlib' 2>/dev/null ||
    { echo "error: $python lacks PyTorch or matplotlib; run: apt-get install python3-torch python3-matplotlib" >&2; exit 1; }

echo "== building" >&2
dotnet publish managed/Atrous.Cli -c Release -r linux-x64 --self-contained false -o artifacts/bench/tool -v quiet --nologo >&2
dotnet build bench/Atrous.Bench -c Release -v quiet --nologo >&2
cmake --preset tests >/dev/null && cmake --build --preset tests --target atrous_bench >&2

# A model's turns, its first runs, and nine to twelve processes of their own.
echo "== measuring: about $(((${#names[@]} * (seconds + 75) + 240) / 60)) minutes; the load of this machine is $(cut -d' ' -f1 /proc/loadavg)" >&2
mkdir -p artifacts/bench/models artifacts/bench/onnx artifacts/bench/noise artifacts/bench/pictures "$output"
"$python" bench/peers/noise.py artifacts/bench/noise
models=()
for name in "${names[@]}"; do
    path=artifacts/bench/models/$name.pth
    if [ "$name" = "$(basename "$real" .safetensors)" ]; then
        path=$real
    elif [ ! -e "$path" ]; then
        "$python" bench/peers/torch_peer.py make artifacts/bench/models "$name"
    fi
    artifacts/bench/tool/atrous export "$path" -o "artifacts/bench/onnx/$name.onnx" --size "${size[$name]}" --batch 1 --quiet
    int8=artifacts/bench/models/$name.int8.safetensors
    if [ artifacts/bench/tool/Atrous.dll -nt "$int8" ]; then
        echo "== quantising $name" >&2
        if [ "$path" = "$real" ]; then
            cp "${real%.safetensors}"/*.jpg artifacts/bench/pictures
            artifacts/bench/tool/atrous quantize "$path" --images artifacts/bench/pictures -o "$int8" --threads "$threads" --quiet >&2
        else
            artifacts/bench/tool/atrous quantize "$path" --images artifacts/bench/noise --agreement 0 -o "$int8" --threads "$threads" --quiet >&2
        fi
    fi
    artifacts/bench/tool/atrous export "$int8" -o "artifacts/bench/onnx/$name.int8.onnx" --size "${size[$name]}" --batch 1 --quiet
    models+=("$path@${size[$name]}")
done
artifacts/bin/Atrous.Bench/release/Atrous.Bench peers "${models[@]}" --onnx artifacts/bench/onnx --int8 artifacts/bench/models \
    --tool "$PWD/artifacts/bench/tool/atrous" --threads "$threads" --seconds "$seconds" --output "$output"
artifacts/native/tests/bench/native/atrous_bench --benchmark_filter="/threads:$threads/" --benchmark_min_time=0.2 \
    --benchmark_out="$output/ops.json" --benchmark_out_format=json >/dev/null
echo "== layers" >&2
mkdir -p "$output/layers"
for name in "${names[@]}"; do
    path=artifacts/bench/models/$name.pth
    [ -e "$path" ] || path=$real
    artifacts/bench/tool/atrous bench "$path" --device cpu --threads "$threads" --size "${size[$name]}" --runs 5 --layers >"$output/layers/$name.txt"
    artifacts/bench/tool/atrous bench "artifacts/bench/models/$name.int8.safetensors" --device cpu --precision int8 --threads "$threads" \
        --size "${size[$name]}" --runs 5 --layers >"$output/layers/$name.int8.txt"
done
echo "== sizes" >&2
sized=artifacts/bench/models/deeplabv3plus_resnet101.pth
if [ -e "$sized" ]; then
    for pixels in 256x256 512x512 1024x1024 1024x2048 2048x4096; do
        artifacts/bench/tool/atrous bench "$sized" --device cpu --threads "$threads" --size $pixels --runs 1 --warm-up 0 --json
    done >"$output/sizes.json"
fi
"$python" bench/report.py "$output"
{
    echo "Measured by \`bench/run.sh\` on $(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD): $cpu, $(nproc) cores,"
    echo "$(awk '/MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GB; .NET $(dotnet --version), g++ $(c++ -dumpfullversion)."
    echo
    cat "$output/peers.md"
} >"$output/peers.md.new"
mv "$output/peers.md.new" "$output/peers.md"
echo "== $output" >&2
