#!/usr/bin/env bash
# How long the tool takes from start to end, by build: as built, published (compiled ahead in part), compiled ahead of time.
#   bench/start.sh [RUNS]     prints a table in Markdown; medians of RUNS (21) runs, the builds by turns
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-21}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
runtime=$(uname -m | sed 's/x86_64/linux-x64/;s/aarch64/linux-arm64/')
linker=()
command -v clang >/dev/null || linker=(-p:CppCompilerAndLinker=gcc)
dotnet build managed/Atrous.Cli -c Release -v quiet --nologo >&2
dotnet publish managed/Atrous.Cli -c Release -r "$runtime" --self-contained false -o "$work/published" -v quiet --nologo >&2
dotnet publish managed/Atrous.Cli -c Release -r "$runtime" -p:PublishAot=true "${linker[@]}" -o "$work/aot" -v quiet --nologo >&2
builds=("$PWD/artifacts/bin/Atrous.Cli/release" "$work/published" "$work/aot")

# The milliseconds that one run took.
once() { # program, arguments
    local start=$EPOCHREALTIME end
    "$@" >/dev/null 2>&1
    end=$EPOCHREALTIME
    echo $(((${end/./} - ${start/./}) / 100)) | sed 's/.$/.&/'
}
row() { # what, arguments of the tool
    local what=$1 build i medians=()
    shift
    for ((i = 0; i < runs; i++)); do
        for build in "${builds[@]}"; do once "$build/atrous" "$@" >>"$work/$(basename "$build").times"; done
    done
    for build in "${builds[@]}"; do
        medians+=("$(sort -n "$work/$(basename "$build").times" | sed -n "$(((runs + 1) / 2))p") ms")
        rm "$work/$(basename "$build").times"
    done
    echo "| $what | ${medians[0]} | ${medians[1]} | ${medians[2]} |"
}
echo "| | as built | \`dotnet publish\` | with \`-p:PublishAot=true\` |"
echo "|---|---|---|---|"
row "\`atrous --version\`" --version
row "\`atrous info\` of the model in the box" info models/atrous-street.safetensors
row "\`atrous segment\` of a picture of 480x360" segment samples/scenes/1005.jpg -o "$work/mask.png"
