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
declare -A needs=([linux-arm64]=/usr/aarch64-linux-gnu/include [win-x64]='/usr/lib/gcc/x86_64-w64-mingw32/*-posix')
declare -A debian=([linux-arm64]="clang g++-aarch64-linux-gnu" [win-x64]="clang g++-mingw-w64-x86-64-posix")
declare -A file=([linux-x64]=libatrous.so [linux-arm64]=libatrous.so [win-x64]=libatrous.dll)
at_hand() { # runtime
    grep -q "\"name\": \"$1\"" CMakePresets.json && compgen -G "${needs[$1]}" >/dev/null &&
        { command -v clang-14 || command -v clang; } >/dev/null
}
others=()
for runtime in linux-x64 linux-arm64 win-x64; do
    [ "$runtime" != "$host" ] || continue
    if ! at_hand "$runtime"; then
        echo "note: the packages lack $runtime: its compiler is not at hand (Debian: ${debian[$runtime]:-none has it})" >&2
        [ $require_all = 0 ] || exit 1
        continue
    fi
    cmake --preset "$runtime" >/dev/null
    cmake --build --preset "$runtime"
    library[$runtime]=artifacts/native/$runtime/native/${file[$runtime]}
    others+=("$runtime")
done

mkdir -p "$output"
rm -f "$output"/Atrous{,.*}.{,s}nupkg # an earlier run's; what else lies there is not ours
dotnet pack eng/packages.proj -c Release -v quiet --nologo "${suffix[@]}" \
    "-p:NativeRuntimes=$(IFS=+ && echo "${others[*]}")" "-p:PackageOutputPath=$output"

for runtime in "${!library[@]}"; do
    glibc=$(LC_ALL=C readelf -W --version-info "${library[$runtime]}" 2>/dev/null |
        grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -1 || true)
    echo "$runtime: ${library[$runtime]}${glibc:+ needs glibc ${glibc#GLIBC_}}"
done
ls -sh "$output"
