#!/usr/bin/env bash
# Makes the model in the box: renders streets, fetches the ResNet-18, trains, exports, compares, scores.
#
#   train.sh CAMVID [OUT]      OUT is artifacts/train by default
#
# CAMVID has train/ and val/, each with images/ and labels/ (models/README.md). Needs the .NET SDK and Debian's python3-torch
# python3-onnx python3-pil python3-numpy povray. It can be killed at any moment and started again: it goes on where it was,
# and the weights come out the same. The last three lines say what to copy into the repository.
set -euo pipefail
camvid=$(realpath "${1:?usage: train.sh CAMVID [OUT]}")
cd "$(dirname "$0")/../.."
out=${2:-artifacts/train} scripts=models/train python=/usr/bin/python3
mkdir -p "$out"

# Each step makes and frees the same large tensors: kept, in large pages, they cost no page faults, which on a virtual machine
# can be most of a step.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 MALLOC_TOP_PAD_=268435456 GLIBC_TUNABLES=glibc.malloc.hugetlb=1

nice $python samples/render.py --busy --seeds 1..20 --size 480x360 --out "$out/renders"
nice $python samples/render.py --busy --seeds 21..60 --size 480x360 --out "$out/more-renders"
train=(nice $python $scripts/train.py --camvid "$camvid")
"${train[@]}" --renders "$out/renders" --packages "$out/packages" --out "$out/run"
# Then whole pictures at the scale that the network will see them at, with the loss that counts thin and rare things; at the
# end beside streets that are new to it, whose pavements it would take for road.
whole=(--backbone-rate 0.25 --whole-from 0 --whole 480 640 --whole-scales 1.2 1.65)
"${train[@]}" --renders "$out/renders" --start "$out/run/state.pt" --out "$out/finish" --steps 500 --lr 5e-4 "${whole[@]}"
"${train[@]}" --renders "$out/more-renders" --render-share 0.5 --start "$out/finish/state.pt" --out "$out/last" --steps 260 \
    --lr 4e-4 --seed 20261201 "${whole[@]}"

dotnet build -c Release managed/Atrous.Cli -v quiet --nologo
atrous=artifacts/bin/Atrous.Cli/release/atrous
# Exports, folds, compares with PyTorch and scores OUT/RUN: OUT/RUN.safetensors.
file() {
    $python $scripts/export.py "$out/$1/state.pt" "$out/$1/fp32.safetensors"
    $atrous convert "$out/$1/fp32.safetensors" --fold --dtype fp16 -o "$out/$1.safetensors"
    $python $scripts/verify.py "$out/$1/state.pt" "$out/$1.safetensors" "$camvid"/val/images/*5.jpg
    $atrous eval "$out/$1.safetensors" --images "$camvid/val/images" --labels "$camvid/val/labels" --ignore 11
}
file last

# All is chosen, and that was its score on frames it has not seen. The file that ships goes on from there with val's frames too.
"${train[@]}" --renders "$out/more-renders" --render-share 0.4 --start "$out/last.safetensors" --out "$out/all" --steps 700 \
    --lr 5e-4 --seed 20261202 --with-val "${whole[@]}"
file all
$atrous segment samples/street.png samples/scenes/{1005,1025}.jpg --model "$out/all.safetensors" --overlay -o "$out/street/"
echo "cp $out/all.safetensors models/atrous-street.safetensors"
echo "cp $out/street/*.overlay.png docs/"
echo "cat $out/{run,finish,last,all}/train.log >models/train/train.log"
