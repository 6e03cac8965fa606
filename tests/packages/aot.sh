#!/usr/bin/env bash
# Compiles the tool ahead of time (NativeAOT) and runs it: segment, info, export, serve. What it says must be what the usual
# build says. The last line is "N passed, N failed, N skipped".
#   tests/packages/aot.sh [DIR]     DIR gets the program; a temporary folder unless it is given
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/atrous-aot-XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
aot=${1:-$work/aot}
usual=$root/artifacts/bin/Atrous.Cli/release
passed=0 failed=0
check() { # name, command...
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "passed: $name" && passed=$((passed + 1))
    else
        echo "FAILED: $name" && sed 's/^/    /' "$work/log" && failed=$((failed + 1))
    fi
}
finish() { echo "$passed passed, $failed failed, 0 skipped" && [ $failed = 0 ] && exit 0 || exit 1; }

linker=()
command -v clang >/dev/null || linker=(-p:CppCompilerAndLinker=gcc)
host=$(uname -m | sed 's/x86_64/linux-x64/;s/aarch64/linux-arm64/')
publish() {
    dotnet publish "$root/managed/Atrous.Cli" -c Release -r "$host" -p:PublishAot=true "${linker[@]}" -o "$aot" -v quiet \
        -nologo && [ -x "$aot/atrous" ] && ! ls "$aot"/*.dll 2>/dev/null
}
check "dotnet publish -p:PublishAot=true, without a warning" publish
[ $failed = 0 ] || finish

cd "$work" || exit 1
cp "$root/samples/street.png" "$root/samples/scenes/1005.jpg" .
echo "this is no picture" >text.jpg
# same EXIT-CODE ARGUMENTS...: both builds end with this code and print the same, but for times.
same() {
    local code=$1 build actual
    shift
    for build in "$usual" "$aot"; do
        "$build/atrous" "$@" >"$(basename "$build").out" 2>"$(basename "$build").err" </dev/null
        actual=$?
        [ $actual = "$code" ] || { echo "$build ended with $actual" && cat "$(basename "$build")".{out,err} && return 1; }
    done
    for stream in out err; do
        diff <(sed -E 's/[0-9.]+ (ms|s)\b//g' release.$stream) <(sed -E 's/[0-9.]+ (ms|s)\b//g' aot.$stream) || return 1
    done
}
segment() {
    same 0 segment 1005.jpg street.png -o masks --overlay && mv masks masks-of-aot &&
        "$usual/atrous" segment 1005.jpg street.png -o masks --overlay && diff -r masks masks-of-aot
}
[ "$(basename "$aot")" = aot ] || { ln -s "$(realpath "$aot")" aot && aot=$work/aot; }
check "segment: the same pictures, byte for byte" segment
check "info" same 0 info "$root/models/atrous-street.safetensors"
check "info --json" same 0 info "$root/models/atrous-street.safetensors" --json
check "help" same 0 --help
check "version" same 0 --version
check "models" same 0 models
check "completion" same 0 "[suggest]" "atrous segment --"
check "a text is no photo" same 3 segment text.jpg
check "an option that there is not" same 2 segment street.png --frob
files() { # the same files of a command that writes one
    local name=$1
    shift
    same 0 "$@" && mv "$name" "$name.aot" && "$usual/atrous" "$@" && cmp "$name" "$name.aot"
}
check "convert" files small.safetensors convert "$root/models/atrous-street.safetensors" -o small.safetensors
check "export" files street.onnx export "$root/models/atrous-street.safetensors" -o street.onnx

echo '{"Atrous":{"Server":{"Prot":1}}}' >misspelt.json
echo '{"Atrous":{"Models":{"atrous-street":{"Path":"atrous-street","Batching":{"QueueLimit":"many"}}}}}' >unsound.json
cat >serve.json <<END
{"Atrous":{"MaxPixels":1000000,"Models":{"atrous-street":{"Path":"atrous-street","WarmUp":["64x64"],"Segmenter":{"Device":"cpu"},
 "Batching":{"Timeout":"00:00:50","QueueLimit":32}}},"Server":{"LogLevel":"Warning","Limits":{"MaxBodyBytes":9000000}}}}
END
check "a setting that there is not" same 2 serve --config misspelt.json
check "a setting that is no number" same 2 serve --config unsound.json
serve() { # build, port: starts it and waits until it is ready
    "$1/atrous" serve --config serve.json --otlp-endpoint http://127.0.0.1:9 --port "$2" --admin --drain-delay 0 >"serve.$2.txt" 2>&1 &
    for _ in $(seq 300); do curl -sf "http://127.0.0.1:$2/readyz" >/dev/null && return 0 || sleep 0.1; done
    cat "serve.$2.txt"
    return 1
}
port=$((20000 + RANDOM % 20000))
answers() { # path, options of curl: the answers of both are the same, but for times and addresses
    local path=$1 n
    shift
    for n in 0 1; do
        curl -s -w '\n%{http_code} %{content_type}\n' "$@" "http://127.0.0.1:$((port + n))$path" |
            sed -E 's/"milliseconds":\{[^}]*\}//; s/"last_inference":[0-9]+//; s/"ns":[0-9]+//g' >"answer.$n"
    done
    cat answer.0 && grep -qE '^(200|4..) ' answer.0 && diff answer.0 answer.1
}
both() { serve "$usual" $port && serve "$aot" $((port + 1)); }
check "serve" both
for path in / /v1/models /openapi/v1.json /samples /samples/street.png /livez /v2 /v2/health/ready /v2/models \
    /v2/models/atrous-street /v2/models/atrous-street/config /v2/models/atrous-street/ready /v2/nowhere /nowhere; do
    check "serve: $path" answers "$path"
done
for format in png overlay json rle; do
    check "serve: POST /v1/segment?format=$format" answers "/v1/segment?format=$format" --data-binary @1005.jpg
done
check "serve: run-lengths as numbers" answers "/v1/segment?format=rle&counts=uncompressed" --data-binary @1005.jpg
check "serve: a text" answers /v1/segment --data-binary @text.jpg
check "serve: /v2 infer" answers /v2/models/atrous-street/infer --data-binary @1005.jpg -H "Inference-Header-Content-Length: 0"
check "serve: /v2 index" answers /v2/repository/index -X POST
check "serve: /v2 stats" answers /v2/models/stats
metrics() { curl -sf "http://127.0.0.1:$((port + 1))/metrics" | grep -E '^atrous_requests_total\{.*model="atrous-street".*\} [1-9]'; }
check "serve: /metrics" metrics
ends() {
    local id
    for id in $(jobs -p); do
        kill -TERM "$id" && wait "$id" || return 1
    done
}
check "serve: SIGTERM ends it with 0" ends
finish
