#!/usr/bin/env bash
# Runs all managed tests several times while two busy loops take the cores from them: what depends on time shows itself here.
# The last line of each run has its counts; the exit status is 0 only when every run passed.
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${1:-3}
case $runs in '' | *[!0-9]* | 0) echo "usage: tests/busy.sh [runs, 3 where not said]" >&2 && exit 2 ;; esac

dotnet build -c Release --nologo -v quiet || exit 1
loops=()
trap '[ ${#loops[@]} -eq 0 ] || kill "${loops[@]}" 2>/dev/null' EXIT
for _ in 1 2; do
    (while :; do :; done) &
    loops+=($!)
done

bad=0
for ((run = 1; run <= runs; run++)); do
    log=artifacts/busy-$run.log
    start=$SECONDS
    if dotnet test -c Release --no-build >"$log" 2>&1; then verdict=passed; else verdict=failed bad=$((bad + 1)); fi
    grep -E '(Passed|Failed)! +- ' "$log"
    [ $verdict = passed ] || grep -E '^ +Failed |^\[xUnit.*\[FAIL\]' "$log"
    echo "run $run of $runs $verdict in $((SECONDS - start)) s ($log)"
done
[ $bad -eq 0 ]
