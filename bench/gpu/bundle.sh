#!/usr/bin/env bash
# Makes one archive for a machine that has a GPU and neither .NET nor a network: the tool, the tests of the GPU, the .NET runtime
# of this machine's SDK, the small goldens, and what run.sh needs. Usage: bench/gpu/bundle.sh [--quick] [FILE ...]
# FILEs (checkpoints, pictures) go along into models/ and are verified and measured too. --quick compresses less, for a trial.
set -euo pipefail
cd "$(dirname "$0")/../.."

limit=$((60 * 1000 * 1000))
level=-6
if [ "${1-}" = --quick ]; then level=-0; shift; fi
out=artifacts/gpu
root=$out/atrous-gpu
archive=$out/atrous-gpu.tar.xz
configuration=release

rm -rf "$root" "$archive"
mkdir -p "$root"
echo "== building" >&2
dotnet publish managed/Atrous.Cli -c Release -r linux-x64 --self-contained false -o "$root/artifacts/bin/Atrous.Cli/$configuration" -v quiet --nologo
dotnet build tests/Atrous.Cuda.Tests -c Release -v quiet --nologo

echo "== collecting" >&2
tool=$root/artifacts/bin/Atrous.Cli/$configuration
tests=$root/artifacts/bin/Atrous.Cuda.Tests/$configuration
mkdir -p "$(dirname "$tests")"
cp -r "artifacts/bin/Atrous.Cuda.Tests/$configuration" "$tests"
find "$root" \( -name '*.pdb' -o -name '*.xml' -o -name 'libatrous_kernels_host.so' \) -delete
# Other systems' libraries, and what only test runners of other kinds load.
find "$tests/runtimes" -mindepth 1 -maxdepth 1 ! -name linux-x64 -exec rm -rf {} +
rm -f "$tests"/{xunit.runner.visualstudio.testadapter,Microsoft.VisualStudio.CodeCoverage.Shim}.dll
# The same bytes once: tar keeps hard links.
find "$tests/runtimes" -name libSkiaSharp.so -exec ln -f "$tool/libSkiaSharp.so" {} \;
if [ -d "$tests/models" ]; then
    for model in "$tests"/models/*; do ln -f "$tool/models/$(basename "$model")" "$model"; done
fi
[ -e "$tests/libatrous.so" ] && ln -f "$tool/libatrous.so" "$tests/libatrous.so"
# `atrous serve` is not run there, so ASP.NET stays at home.
sed -i '/"frameworks": \[/,/\]/c\    "framework": { "name": "Microsoft.NETCore.App", "version": "10.0.0" },' "$tool"/*.runtimeconfig.json

# The tests look for these below the folder of Atrous.sln. The software device is for trying this out on a machine without a GPU.
mkdir -p "$root/native/cuda" "$root/tests" "$root/artifacts" "$root/bench" "$root/samples" "$root/models"
: >"$root/Atrous.sln"
cp -r native/cuda/ptx "$root/native/cuda/ptx"
cp -r tests/goldens "$root/tests/goldens"
rm -rf "$root/tests/goldens/containers" "$root/tests/goldens/crf"
cp -r artifacts/device "$root/artifacts/device"
cp artifacts/native/release/native/cuda/libatrous_kernels_host.so "$tests/"
cp samples/street.png samples/scenes/*.jpg "$root/samples/"
cp -r bench/gpu bench/peers "$root/bench/"
rm -rf "$root"/bench/*/__pycache__
for file in "$@"; do cp "$file" "$root/models/"; done
{ git rev-parse --short HEAD; git diff --quiet HEAD || echo "with changes that are not committed"; } | paste -sd ' ' >"$root/COMMIT"

# The runtime, without what only debuggers, profilers and other languages need.
host=$(dirname "$(readlink -f "$(command -v dotnet)")")
version=$(dotnet --list-runtimes | sed -n 's/^Microsoft\.NETCore\.App \(10\.[^ ]*\).*/\1/p' | tail -1)
[ -n "$version" ] || { echo "error: this machine's SDK has no runtime of .NET 10" >&2; exit 1; }
mkdir -p "$root/runtime/host/fxr" "$root/runtime/shared/Microsoft.NETCore.App"
cp "$host/dotnet" "$root/runtime/"
cp -r "$host/host/fxr/$version" "$root/runtime/host/fxr/"
cp -r "$host/shared/Microsoft.NETCore.App/$version" "$root/runtime/shared/Microsoft.NETCore.App/"
framework=$root/runtime/shared/Microsoft.NETCore.App/$version
rm -f "$framework"/{libmscordaccore,libmscordbi,libclrgc,libclrgcexp,libcoreclrtraceptprovider}.so \
    "$framework"/Microsoft.{VisualBasic,VisualBasic.Core,CSharp}.dll

echo "== compressing" >&2
tar -C "$out" -c atrous-gpu | xz -T0 $level >"$archive"
size=$(stat -c %s "$archive")
cp bench/gpu/run.sh "$out/run.sh"
if [ $level = -6 ] && [ "$size" -ge $limit ]; then
    echo "error: $archive has $size bytes, $limit are allowed; give fewer files" >&2
    exit 1
fi
echo "$archive: $((size / 1000000)) MB of at most $((limit / 1000000)), commit $(cat "$root/COMMIT"). On the other machine: bash run.sh atrous-gpu.tar.xz"
