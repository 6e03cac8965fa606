#!/usr/bin/env bash
# Tries out the archive of bundle.sh on the software device as on a machine that has no .NET: it is unpacked, the tool finds the
# runtime and the device, the small network runs in every way of `smoke`, is verified, and the results are in one file.
set -euo pipefail
cd "$(dirname "$0")/../.."

bench/gpu/bundle.sh --quick
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp artifacts/gpu/atrous-gpu.tar.xz artifacts/gpu/run.sh "$place"
cd "$place"

# Whatever folder of the path has a dotnet is replaced by one with all else that is in it.
path=''
IFS=: read -ra folders <<<"$PATH"
for i in "${!folders[@]}"; do
    folder=${folders[i]}
    if [ -e "$folder/dotnet" ]; then
        mkdir "$place/path.$i"
        ln -s "$folder"/* "$place/path.$i/"
        rm "$place/path.$i/dotnet"
        folder=$place/path.$i
    fi
    path+=${path:+:}$folder
done
run() { env -i PATH="$path" HOME="$place" bash run.sh atrous-gpu.tar.xz --software --networks none "$@"; }

run --seconds 150 probe smoke verify report || { cat results/*/parts/*/*.err >&2; exit 1; }
results=results/software-device
fail() { echo "error: $1" >&2; exit 1; }
! env -i PATH="$path" bash -c 'command -v dotnet' || fail "there is a dotnet on the path"
[ "$(grep -c '| within |' $results/README.md)" -ge 4 ] || fail "nothing was verified in four precisions"
! grep -E 'ABOVE|not finished' $results/README.md || fail "see above"
# What comes home is all that another machine needs to go on.
mv results results.first
run --resume results.first/software-device.tar.gz probe smoke verify
diff <(cd results.first && find software-device home/atrous -type f ! -name run.log ! -name README.md -exec md5sum {} + | sort) \
    <(cd results && find software-device home/atrous -type f ! -name run.log ! -name README.md -exec md5sum {} + | sort) ||
    fail "what was taken home is not all, or was made again"
