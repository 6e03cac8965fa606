#!/usr/bin/env bash
# run.sh --minutes N [--only NAME] [--managed | --native] [--short]: fuzzes for N minutes (a fraction will do) per target:
# the managed ones (managed/), and those of the C ABI (native/) where clang with libFuzzer is installed, which builds the
# kernels anew under the sanitizers; with --short for one instruction set alone, in a sixth of the time. Findings lie in
# artifacts/fuzz/findings, the table of what was run in artifacts/fuzz/table.md (of one part alone in managed.md or
# native.md). The exit status is 0 when nothing was found. Seeds, and inputs that were at fault once, lie in cases/. The managed fuzzers mutate by structure and go
# on from what was accepted: SharpFuzz would be guided by coverage, but rewrites the assemblies in place and needs a
# driver for libFuzzer beside them, which no package has.
set -uo pipefail
cd "$(dirname "$0")/../.."
minutes=1 only="" managed=1 native=1 preset=fuzz
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=$2; shift 2 ;;
        --only) only=$2; shift 2 ;;
        --managed) native=0; shift ;;
        --native) managed=0; shift ;;
        --short) preset=sanitize-short; shift ;;
        *) echo "usage: run.sh [--minutes N] [--only NAME] [--managed | --native] [--short]" >&2; exit 2 ;;
    esac
done
seconds=$(awk -v m="$minutes" 'BEGIN { s = int(m * 60); print s < 1 ? 1 : s }')
out=$PWD/artifacts/fuzz findings=$PWD/artifacts/fuzz/findings table=$PWD/artifacts/fuzz/table.md
mkdir -p "$findings"
status=0

# With one part alone the table is that part's, and both can be run beside each other.
if [ $managed = 0 ]; then
    table=$out/native.md
elif [ $native = 0 ]; then
    table=$out/managed.md
fi
printf '%s\n' '| target | executions | minutes | accepted | slowest, ms | findings |' '|---|---|---|---|---|---|' >"$table"

if [ $managed = 1 ]; then
    dotnet run --project tests/fuzz/managed -c Release -- "${only:-all}" --seconds "$seconds" \
        --seed "${ATROUS_FUZZ_SEED:-$RANDOM}" --findings "$findings" >"$out/managed.log"
    code=$?
    # 2: the one target that was asked for is none of these.
    [ $code -eq 0 ] || { [ $code -eq 2 ] && [ -n "$only" ]; } || status=1
    sed 1,2d "$out/managed.log" >>"$table"
fi

# The first clang that links libFuzzer and the sanitizers: some are installed without these libraries.
clang="" candidates=()
[ $native = 0 ] || candidates=(clang++ clang++-{19,18,17,16,15,14})
echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$out/probe.cpp"
for candidate in ${candidates[@]+"${candidates[@]}"}; do
    if command -v "$candidate" >/dev/null &&
        "$candidate" -fsanitize=fuzzer,address,undefined "$out/probe.cpp" -o "$out/probe" >/dev/null 2>&1; then
        clang=$(command -v "$candidate")
        break
    fi
done
if [ $native = 0 ]; then
    :
elif [ -z "$clang" ]; then
    echo "note: no clang here links libFuzzer; the fuzzers of the C ABI are left out" >&2
elif ! { cmake --preset $preset -DCMAKE_CXX_COMPILER="$clang" && cmake --build --preset $preset; } >"$out/cmake.log"; then
    tail -30 "$out/cmake.log"
    status=1
else
    for program in artifacts/native/$preset/tests/fuzz/native/*_fuzz; do
        name=$(basename "$program" _fuzz)
        [ -z "$only" ] || [ "$only" = "$name" ] || continue
        corpus=("$out/corpus/$name")
        mkdir -p "${corpus[0]}" "$findings/$name"
        [ ! -d "tests/fuzz/cases/$name" ] || corpus+=("tests/fuzz/cases/$name")
        "$program" "${corpus[@]}" -max_total_time="$seconds" -seed="${ATROUS_FUZZ_SEED:-0}" -rss_limit_mb=2048 -timeout=60 -print_final_stats=1 \
            -artifact_prefix="$findings/$name/" >"$out/$name.log" 2>&1
        found=$([ $? -eq 0 ] && echo 0 || echo 1)
        [ "$found" -eq 0 ] || { status=1; tail -40 "$out/$name.log"; }
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log")
        slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$out/$name.log")
        echo "| $name | ${runs:-0} | $minutes | | ${slowest:-0}000 | $found |" >>"$table"
    done
fi
[ -z "$only" ] || grep -q "^| $only |" "$table" || { echo "error: there is no target '$only'" >&2; status=1; }
cat "$table"
exit $status
