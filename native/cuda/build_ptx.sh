#!/usr/bin/env bash
# Compiles native/cuda/<op>.cu to <folder>/<op>[_<storage>].ptx, by default to native/cuda/ptx, whose files are committed
# (CONTRIBUTING says why). Needs clang 19, or 14 to 18, or nvcc; no CUDA toolkit. Prints the compiler that it took.
#   native/cuda/build_ptx.sh [folder]
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-ptx}
mkdir -p "$out"

compiler=
for name in clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 nvcc; do
    command -v "$name" >/dev/null && compiler=$name && break
done
if [ -z "$compiler" ]; then
    echo "error: the kernels need clang or nvcc; run: sudo apt-get install clang-19" >&2
    exit 1
fi

# PTX 7.0 and sm_75, or sm_80 for bfloat16, are the oldest that have all that the kernels use; later GPUs' drivers translate
# them. Nothing is contracted or flushed, so that a kernel computes the same bits on the device as on the host.
case $compiler in
    nvcc) flags=(-ptx -std=c++17 -fmad=false) arch=-arch=compute_ ;;
    *) flags=(-x cuda --cuda-device-only -Xclang -target-feature -Xclang +ptx70 -nocudainc -nocudalib
              -std=c++17 -O2 -ffp-contract=off -Wall -Wextra -Werror -S) arch=--cuda-gpu-arch=sm_ ;;
esac

# compile NAME [FLAG]: the module of a storage, without the compiler's comments.
compile() {
    local oldest=75
    [[ $1 != *_bf16 ]] || oldest=80
    "$compiler" "${flags[@]}" "$arch$oldest" "${@:2}" "$op.cu" -o "$out/$1.raw"
    sed -E 's://.*$::; s/[ \t]+$//; /^$/d' "$out/$1.raw" >"$out/$1.ptx"
    rm "$out/$1.raw"
}

rm -f "$out"/*.ptx
for source in *.cu; do
    op=${source%.cu}
    if grep -qE 'ATROUS_ENTR(IES|Y_F32)' "$source"; then
        for storage in f32 f16 bf16; do compile "${op}_$storage" "-DATROUS_STORAGE_${storage^^}"; done
    else
        compile "$op"
    fi
done
# What the modules were made from and by: a test says when they are out of date.
{
    "$compiler" --version | grep -oE '(clang version|release) [0-9.]+' | head -1
    LC_ALL=C sha256sum *.cu *.h build_ptx.sh
} >"$out/sources.sha256"
echo "$compiler"
