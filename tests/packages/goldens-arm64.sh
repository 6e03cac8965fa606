#!/usr/bin/env bash
# The committed goldens on ARM64 under QEMU: GoldenParityTests' CPU backend, a process for each, for .NET may crash under an
# emulator and takes some twenty times as long there. Unattended; run again, it goes on where it ended.
#   tests/packages/goldens-arm64.sh [DIR]     DIR (artifacts/goldens-arm64) gets the program and the table, goldens.md
# On Debian: apt-get install g++-aarch64-linux-gnu clang qemu-user-static. The last line is "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
work=$(realpath -m "${1:-artifacts/goldens-arm64}")
fake=$work/root table=$work/goldens.md
app=$fake/app
# The longest that a golden may take.
patience=${ATROUS_PATIENCE:-3600}
mkdir -p "$work"

if [ ! -e "$app/ready" ]; then
    cmake --preset linux-arm64 >/dev/null && cmake --build --preset linux-arm64
    # Its own .NET; the tool, which other tests start, has none.
    dotnet publish tests/Atrous.Tests -c Release -r linux-arm64 --self-contained -o "$app" -v quiet -nologo \
        -p:ValidateExecutableReferencesMatchSelfContained=false -p:PublishReadyToRun=true
    cp artifacts/native/linux-arm64/native/libatrous.so "$app/"
    # xUnit names its tests by SHA-256, which is OpenSSL's: Debian's for ARM64, taken by an apt with folders of its own.
    apt=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State=$work/apt" -o "Dir::Cache=$work/apt"
        -o "Dir::State::status=$work/apt/status")
    mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" && touch "$work/apt/status"
    apt-get -qq "${apt[@]}" update
    (cd "$work/apt" && apt-get -qq "${apt[@]}" download libssl3 && dpkg-deb -x libssl3_*.deb "$work/openssl")
    # What the tests take for the checkout: no data beside it but what is committed.
    touch "$fake/Atrous.sln" && mkdir -p "$fake/tests" && cp -r tests/goldens "$fake/tests/"
    touch "$app/ready"
fi

# A line per golden that is committed: its set and its name, small networks first.
goldens() {
    (cd "$root/tests/goldens" && for set in cases cases-2; do
        for file in "$set"/*.safetensors; do
            echo "$(grep -q mobile <<<"$file" && echo 0 || echo 1) $set $(basename "$file" .safetensors)"
        done
    done) | sort | cut -d ' ' -f 2-
}
# one SET NAME: a checkout whose index names this golden alone.
one() {
    echo '[]' | tee "$fake/tests/goldens/cases/index.json" >"$fake/tests/goldens/cases-2/index.json"
    python3 -c 'import json, sys
entries = [entry for entry in json.load(open(sys.argv[1])) if entry["name"] == sys.argv[2]]
json.dump(entries, open(sys.argv[3], "w"))' "$root/tests/goldens/$1/index.json" "$2" "$fake/tests/goldens/$1/index.json"
}

[ -e "$table" ] || printf '| golden | result | max\\|d\\|/std | seconds |\n|---|---|---|---|\n' >"$table"
while read -r set name; do
    ! grep -qF "| $name |" "$table" || continue
    one "$set" "$name"
    begin=$SECONDS
    # What .NET 10 needs under QEMU 7.2: no mapping of code twice, no instrumented code.
    DOTNET_EnableWriteXorExecute=0 DOTNET_TieredPGO=0 timeout "$patience" qemu-aarch64-static -L /usr/aarch64-linux-gnu \
        -E LD_LIBRARY_PATH="$work/openssl/usr/lib/aarch64-linux-gnu" "$app/Atrous.Tests" -noLogo -noColor -parallel none \
        -reporter verbose -showLiveOutput -printMaxStringLength 0 \
        -method '*.GoldenParityTests.The_cpu_backend_gives_the_original_s_logits' >"$work/log" 2>&1 </dev/null && status=0 || status=$?
    distance=$(sed -n 's/.*max|d|\/std \([0-9.e+-]*\).*/\1/p' "$work/log" | head -1)
    if [ $status = 0 ] && grep -q 'Total: 1, Errors: 0, Failed: 0, Skipped: 0' "$work/log"; then
        result=passed
    elif grep -q 'No data found' "$work/log"; then
        result=skipped # of a dialect that this test does not name
    else
        result="FAILED ($status)" && cp "$work/log" "$work/$name.log"
    fi
    echo "| $name | $result | $distance | $((SECONDS - begin)) |" | tee -a "$table"
done < <(goldens)
echo "$(grep -c '| passed |' "$table" || true) passed, $(grep -c '| FAILED' "$table" || true) failed, $(grep -c '| skipped |' "$table" || true) skipped"
! grep -q '| FAILED' "$table"
