#!/usr/bin/env bash
# Makes all packages, with the native library of every platform whose compiler is at hand:
#   eng/pack.sh [--output DIR] [--version-suffix SUFFIX] [--require-all]
# DIR is artifacts/packages unless given. With --require-all a compiler that is missing is an error.
set -euo pipefail
cd "$(dirname "$0")/.."

output=$PWD/artifacts/packages require_all=0 suffix=()
while [ $# -gt 0 ]; do
    case $1 in
        --output) output=$(realpath -m "$2") && shift 2 ;;
        --version-suffix) suffix=("-p:VersionSuffix=$2") && shift 2 ;;
        --require-all) require_all=1 && shift ;;
        *) echo "usage: eng/pack.sh [--output DIR] [--version-suffix SUFFIX] [--require-all]" >&2 && exit 2 ;;
    esac
done

host=linux-x64
[ "$(uname -m)" = x86_64 ] || host=linux-arm64
bash native/build.sh
declare -A library=([$host]=artifacts/native/release/native/libatrous.so)

# The others by the CMake preset of their name, which knows its compiler.
declare -A compiler=([linux-x64]=x86_64-linux-gnu-g++ [linux-arm64]=aarch64-linux-gnu-g++ [win-x64]=x86_64-w64-mingw32-g++)
declare -A debian=([linux-x64]=g++-x86-64-linux-gnu [linux-arm64]=g++-aarch64-linux-gnu [win-x64]="clang lld mingw-w64")
declare -A file=([linux-x64]=libatrous.so [linux-arm64]=libatrous.so [win-x64]=atrous.dll)
others=()
for runtime in linux-x64 linux-arm64 win-x64; do
    [ "$runtime" != "$host" ] || continue
    if ! command -v "${compiler[$runtime]}" >/dev/null || ! grep -q "\"name\": \"$runtime\"" CMakePresets.json; then
        echo "note: the packages lack $runtime: its compiler is not at hand (Debian: ${debian[$runtime]})" >&2
        [ $require_all = 0 ] || exit 1
        continue
    fi
    cmake --preset "$runtime" >/dev/null
    cmake --build --preset "$runtime"
    library[$runtime]=artifacts/native/$runtime/native/${file[$runtime]}
    others+=("$runtime")
done

mkdir -p "$output"
rm -f "$output"/*.nupkg "$output"/*.snupkg
dotnet pack eng/packages.proj -c Release -v quiet --nologo "${suffix[@]}" \
    "-p:NativeRuntimes=$(IFS=% && echo "${others[*]}" | sed 's/%/%3B/g')" "-p:PackageOutputPath=$output"

for runtime in "${!library[@]}"; do
    needs=$(LC_ALL=C readelf -W --version-info "${library[$runtime]}" 2>/dev/null |
        grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -1 || true)
    echo "$runtime: ${library[$runtime]}${needs:+ needs glibc ${needs#GLIBC_}}"
done
ls -sh "$output"
