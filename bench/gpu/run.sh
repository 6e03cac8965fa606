#!/usr/bin/env bash
# Runs the archive of bundle.sh on a machine with a GPU (CUDA's driver, cuDNN 9 as a pip wheel, PyTorch) and without .NET or network:
#   run.sh ARCHIVE [--output DIR] [--seconds N] [--software] [--networks NAME,...] [tests] [sanitize] [verify] [bench]
# All four steps unless some are named. The whole takes less than N seconds (520 unless given): each step has its share of them,
# and one that fails or runs out of time does not stop the next. Writes DIR/<gpu>/ (DIR is ./results unless given): README.md is the
# summary, the rest is what it was made from. --software rehearses on the test-only software device.
set -uo pipefail

usage() { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
archive='' output=$PWD/results seconds=520 software=0 networks='' out_of_time='' steps=()
while [ $# -gt 0 ]; do
    case $1 in
        --output) output=$(realpath -m "${2:?--output takes a folder}"); shift ;;
        --seconds) seconds=${2:?--seconds takes a number}; shift ;;
        --networks) networks=${2:?--networks takes names}; shift ;;
        --software) software=1 ;;
        tests | sanitize | verify | bench) steps+=("$1") ;;
        -*) usage ;;
        *) [ -z "$archive" ] && [ -e "$1" ] || usage; archive=$(realpath "$1") ;;
    esac
    shift
done
[ -n "$archive" ] || usage
[ ${#steps[@]} -gt 0 ] || steps=(tests sanitize verify bench)
start=$SECONDS

if [ -d "$archive" ]; then
    root=$archive
else
    work=$(mktemp -d "${TMPDIR:-/tmp}/atrous-gpu.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    tar -C "$work" -xJf "$archive" || exit 1
    root=$work/atrous-gpu
fi
atrous=$root/artifacts/bin/Atrous.Cli/release/atrous
tests=$root/artifacts/bin/Atrous.Cuda.Tests/release/Atrous.Cuda.Tests
models=$root/models
# The runtime of the archive and no other; what is cached between runs stays inside the working folder.
export DOTNET_ROOT=$root/runtime DOTNET_MULTILEVEL_LOOKUP=0 DOTNET_gcServer=0 HOME=$root/home ATROUS_HOME=$root/home/atrous
mkdir -p "$HOME"
cd "$root"

has_torch=0
python3 -c 'import torch' 2>/dev/null && has_torch=1
if [ $software -eq 1 ]; then
    export ATROUS_CUDA_PATH=$root/artifacts/device
    # The device finds its kernels beside the tests.
    export ATROUS_DEVICE_KERNELS=$(dirname "$tests")/libatrous_kernels_host.so
    size=65x65 runs=1 batches='1 2' warm_up=1 networks=${networks:-deeplabv3plus_mobilenetv2} gpu=software-device
else
    export ATROUS_TEST_GPU=1 PATH=$PATH:/usr/local/cuda/bin
    # cuDNN and cuBLASLt of the Python that has PyTorch, whatever starts it.
    wheels=$(python3 -c 'import glob, sys; print(":".join(found for path in sys.path for found in glob.glob(path + "/nvidia/*/lib")))')
    export ATROUS_CUDA_PATH=${ATROUS_CUDA_PATH:-$wheels}
    size=513x513 runs=100 batches='1 16' warm_up=5 networks=${networks:-deeplabv3plus_resnet101,deeplabv3plus_mobilenetv2}
    gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1 | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9-')
    [ -n "$gpu" ] || { echo "error: nvidia-smi shows no GPU; --software rehearses without one" >&2; exit 1; }
fi
results=$output/$gpu
mkdir -p "$results"
log=$results/run.log
: >"$log"
say() { echo "== $* ($((SECONDS - start)) s)" | tee -a "$log"; }
skip() { echo "$1 skipped: $2" | tee -a "$log"; }

# limited LIMIT FILE COMMAND...: appends the command's output to FILE; says when it failed or ran out of time.
limited() {
    local limit=$1 file=$2
    shift 2
    if [ "$limit" -le 0 ]; then
        [ "$out_of_time" = "$step" ] || skip "the rest of $step" "no time is left"
        out_of_time=$step
        return 1
    fi
    timeout -k 5 "$limit" "$@" >>"$results/$file" 2>>"$log"
    local code=$? words=("${@##*/}")
    case $code in
        0) ;;
        124 | 137) echo "ran out of its $limit s: ${words[*]}" | tee -a "$log" ;;
        *) echo "exit code $code: ${words[*]}" | tee -a "$log" ;;
    esac
    return $code
}

# The seconds that are left of a step's; at most N of them, so that one slow command does not take them all.
left() {
    local rest=$((step_end - SECONDS))
    local most=${1:-$rest}
    echo $((rest < most ? rest : most))
}

# The made checkpoints that a step wants; once.
make_models() {
    [ $has_torch -eq 1 ] || { skip "the networks $networks" "python3 has no torch to make them with"; return; }
    local missing=() name
    for name in ${networks//,/ }; do [ -e "$models/$name.pth" ] || missing+=("$name"); done
    [ ${#missing[@]} -eq 0 ] || limited "$(left)" run.log python3 bench/peers/torch_peer.py make "$models" "${missing[@]}"
}

step_tests() {
    : >"$results/tests.log"
    limited "$(left)" tests.log "$tests" -noColor -parallel none
    tail -n 3 "$results/tests.log"
}

step_sanitize() {
    [ $software -eq 0 ] || { skip sanitize "the software device checks every access by itself"; return; }
    command -v compute-sanitizer >/dev/null || { skip sanitize "there is no compute-sanitizer"; return; }
    : >"$results/sanitizer.log"
    local tool half=$(($(left) / 2))
    for tool in memcheck racecheck; do
        echo "-- $tool" >>"$results/sanitizer.log"
        limited "$half" sanitizer.log compute-sanitizer --tool $tool --target-processes all --error-exitcode 9 \
            "$tests" -noColor -parallel none -class '*.OpTests' -class '*.BackendKernelTests'
        grep -E 'ERROR SUMMARY|RACECHECK SUMMARY|Total:' "$results/sanitizer.log" | tail -n 2
    done
}

# Checkpoints: the made ones in the order that was asked for, those that were carried, the one in the box.
checkpoints() {
    local name
    for name in ${networks//,/ }; do [ -e "$models/$name.pth" ] && echo "$models/$name.pth"; done
    ls "$models"/*.safetensors "$root"/artifacts/bin/Atrous.Cli/release/models/*.safetensors 2>/dev/null
}

step_verify() {
    : >"$results/verify.jsonl"
    make_models
    local model precision pictures
    for model in $(checkpoints); do
        # Real photos for real weights; random ones do with the made picture.
        pictures=''
        [[ $model == *.safetensors ]] && pictures=$(ls samples/1005.jpg samples/1013.jpg "$models"/*.jpg "$models"/*.png 2>/dev/null)
        for precision in fp32 tf32 fp16 bf16; do
            limited "$(left 60)" verify.jsonl "$atrous" verify "$model" --device cuda --precision $precision --size $size --json -q $pictures
        done
        [ $has_torch -eq 1 ] && [[ $model == *.pth ]] &&
            limited "$(left)" verify.jsonl python3 bench/gpu/torch_gpu.py compare "$atrous" cuda $size "$model"
    done
}

bench_atrous() { # MODEL PRECISION BATCH RUNS WARM_UP
    limited "$(left 60)" bench.jsonl "$atrous" bench "$1" --device cuda --precision "$2" --size $size --batch "$3" --runs "$4" --warm-up "$5" --json
}

bench_torch() { # eager|compile NAME BATCH
    limited "$(left)" torch.jsonl python3 bench/gpu/torch_gpu.py bench "$1" $size "$3" "$models/$2.pth"
}

step_bench() {
    : >"$results/bench.jsonl"
    : >"$results/torch.jsonl"
    make_models
    local model precision batch name names=(${networks//,/ }) all
    all=$(checkpoints)
    # What is compared comes first, so that a lack of time costs the rest.
    for model in $all; do
        for batch in $batches; do bench_atrous "$model" fp16 $batch $runs $warm_up; done
        # Once more: the engines are chosen and cached now, so this is the start-up of every later process.
        bench_atrous "$model" fp16 1 0 0
    done
    if [ $software -eq 1 ] || [ $has_torch -eq 0 ]; then
        skip "PyTorch and the floors" "$([ $software -eq 1 ] && echo 'there is no GPU to measure' || echo 'python3 has no torch')"
    else
        limited "$(left)" torch.jsonl python3 bench/gpu/torch_gpu.py floors
        for name in "${names[@]}"; do
            for batch in $batches; do bench_torch eager "$name" $batch; done
        done
        for batch in $batches; do bench_torch compile "${names[0]}" $batch; done
    fi
    for model in $all; do
        for precision in bf16 tf32 fp32; do bench_atrous "$model" $precision 1 $runs $warm_up; done
    done
    [ $software -eq 1 ] || [ $has_torch -eq 0 ] || for name in "${names[@]:1}"; do
        for batch in $batches; do bench_torch compile "$name" $batch; done
    done
}

{
    echo "{\"commit\": \"$(cat COMMIT)\", \"date\": \"$(date -u +%Y-%m-%d)\", \"device\": \"$gpu\"}"
    [ $has_torch -eq 1 ] && python3 bench/gpu/torch_gpu.py machine
} >"$results/machine.jsonl" 2>>"$log"
"$atrous" devices | tee -a "$log"

declare -A share=([tests]=2 [sanitize]=2 [verify]=2 [bench]=5)
weight=0
for step in "${steps[@]}"; do weight=$((weight + share[$step])); done
for step in "${steps[@]}"; do
    # A step that ends early leaves its time to the later ones.
    step_end=$((SECONDS + (seconds - (SECONDS - start)) * share[$step] / weight))
    weight=$((weight - share[$step]))
    say "$step, at most $(left) s"
    "step_$step"
done
say "done"
python3 bench/gpu/report.py "$results" >"$results/README.md" && cat "$results/README.md"
