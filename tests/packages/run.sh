#!/usr/bin/env bash
# Takes the packages home as anybody would: projects outside the repository that know the packages alone, on this platform,
# for linux-arm64 under QEMU and for win-x64 under Wine. The last line is "N passed, N failed, N skipped".
#   tests/packages/run.sh [--packages DIR]     DIR holds packages; they are made unless it is given
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/atrous-packages-XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

# check NAME COMMAND...: one test; what it printed is shown where it fails.
check() {
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "passed: $name" && passed=$((passed + 1))
    else
        echo "FAILED: $name" && sed 's/^/    /' "$work/log" && failed=$((failed + 1))
        return 1
    fi
}
skip() { echo "skipped: $1" && skipped=$((skipped + 1)); }
finish() { echo "$passed passed, $failed failed, $skipped skipped" && [ $failed = 0 ] && [ $passed -gt 0 ] && exit 0 || exit 1; }

packages=$work/packages
if [ "${1:-}" = --packages ]; then
    packages=$(realpath "$2")
else
    all=()
    [ "${ATROUS_CI_PLATFORMS:-0}" != 1 ] || all=(--require-all)
    check "eng/pack.sh makes the packages" "$root/eng/pack.sh" --output "$packages" "${all[@]}" || finish
    cat "$work/log"
fi

# A folder of packages of its own: one that another run has made under the same version is never taken for this one's. What
# others have made is taken from the machine's folder, if it is there.
mkdir "$work/others"
machine=${NUGET_PACKAGES:-$HOME/.nuget/packages}
for folder in "$machine"/*/; do
    [[ $folder == */atrous/ || $folder == */atrous.*/ || ! -d $folder ]] || ln -s "$folder" "$work/others/$(basename "$folder")"
done
export NUGET_PACKAGES=$work/nuget DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
cat >"$work/nuget.config" <<END
<configuration>
  <packageSources>
    <add key="atrous" value="$packages" />
  </packageSources>
  <fallbackPackageFolders>
    <add key="others" value="$work/others" />
  </fallbackPackageFolders>
</configuration>
END
cp -r "$root/samples/code" "$root/tests/packages/agree" "$work/"
rm -rf "$work/code/nuget.config" "$work"/code/*/{bin,obj} "$work"/agree/{bin,obj}
cp "$root/samples/street.png" "$root"/samples/scenes/1005.jpg "$root"/tests/packages/pictures/* "$work/"
cd "$work" || exit 1
host=$(uname -m | sed 's/x86_64/linux-x64/;s/aarch64/linux-arm64/')
echo "this is no picture" >text.jpg

source "$root/tests/packages/contents.sh"
source "$root/tests/packages/programs.sh"
source "$root/tests/packages/platforms.sh"
finish
