#!/usr/bin/env bash
# What the Dockerfile says, in a plain folder: the published tool as a user who may write nowhere, its health check, a batch
# job. And in Debian itself (debian.sh), where root has debootstrap. The last line is "N passed, N failed, N skipped".
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/atrous-image-XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
passed=0 failed=0 skipped=0
check() { # name, command...
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "passed: $name" && passed=$((passed + 1))
    else
        echo "FAILED: $name" && sed 's/^/    /' "$work/log" && failed=$((failed + 1))
    fi
}
skip() { echo "skipped: $1" && skipped=$((skipped + 1)); }
finish() { echo "$passed passed, $failed failed, $skipped skipped" && [ $failed = 0 ] && exit 0 || exit 1; }

check "eng/image.sh publishes the tool" "$root/eng/image.sh" "$work/app"
[ $failed = 0 ] || finish
value() { sed -n "s/^$1 //p" "$root/Dockerfile" | tail -1; }
user=$(value USER)
mapfile -t entry < <(value ENTRYPOINT | grep -oE '"[^"]+"' | tr -d '"' | sed "s#^/app#$work/app#")
mapfile -t default < <(value CMD | grep -oE '"[^"]+"' | tr -d '"')
environment=(HOME=/ DOTNET_EnableDiagnostics=0 PATH="$work/app:$PATH")
as_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups env -i "${environment[@]}" "$@"
    else
        env -i "${environment[@]}" "$@"
    fi
}
check "the Dockerfile copies that folder, runs as a user of its own, and checks by its script" eval \
    '[ "${user%:*}" -gt 0 ] && grep -q "^COPY artifacts/image /app$" "$root/Dockerfile" &&
     grep -q "^HEALTHCHECK .* CMD \[\"/app/ready\"\]$" "$root/Dockerfile" && [ ${#entry[@]} = 1 ] && [ -x "${entry[0]}" ]'
writable() { as_user find "$work/app" -writable; }
[ "$(id -u)" != 0 ] || check "that user can write nothing of it" eval '[ -z "$(writable)" ]'

port=$((20000 + RANDOM % 20000))
environment+=(ATROUS_PORT=$port)
check "the health check fails before the server runs" eval '! as_user "$work/app/ready"'
(cd / && as_user "${entry[0]}" "${default[@]/8080/$port}" >"$work/serve.txt" 2>&1) &
ready() {
    for _ in $(seq 300); do as_user "$work/app/ready" 2>/dev/null && return 0 || sleep 0.1; done
    cat "$work/serve.txt"
    return 1
}
check "the server becomes ready" ready
check "the server segments" eval \
    'curl -sf --data-binary "@$root/samples/scenes/1005.jpg" "http://127.0.0.1:$port/v1/segment?format=json" >"$work/answer" &&
     grep -q road "$work/answer"'
batch() {
    mkdir -p "$work/data" && cp "$root"/samples/scenes/*5.jpg "$work/data/" && chmod 777 "$work/data" &&
        as_user "${entry[0]}" segment "$work/data" -o "$work/data/masks" && [ "$(ls "$work/data/masks" | wc -l)" = 2 ]
}
check "a batch job" batch
# The Dockerfile itself, where a container tool is at hand.
in_container() {
    local tool=$1 id code=1
    rm -rf "$root/artifacts/image" && mkdir -p "$root/artifacts" && cp -r "$work/app" "$root/artifacts/image" &&
        "$tool" build -t atrous-test "$root" && id=$("$tool" run -d --read-only -p 127.0.0.1::8080 atrous-test) || return 1
    for _ in $(seq 60); do "$tool" exec "$id" /app/ready && code=0 && break || sleep 1; done
    "$tool" logs "$id" && "$tool" rm -f "$id" && [ $code = 0 ] &&
        "$tool" run --rm --read-only -v "$work/data:/data" atrous-test segment /data/1005.jpg -o /data/contained.png &&
        cmp "$work/data/contained.png" "$work/data/masks/1005.mask.png"
}
contained=
for tool in docker podman; do
    [ -n "$contained" ] || ! "$tool" info >/dev/null 2>&1 || contained=$tool
done
if [ -n "$contained" ]; then
    check "$contained builds and runs the Dockerfile" in_container "$contained"
else
    skip "the Dockerfile itself: no container tool is at hand"
fi
source "$root/tests/packages/debian.sh"
stops() {
    local id
    id=$(pgrep -u "${user%:*}" -f "^${entry[0]} serve" || pgrep -f "^${entry[0]} serve")
    kill -TERM "$id" && wait -n
}
check "SIGTERM ends the server with 0" stops
finish
