#!/usr/bin/env bash
# Runs the archive of bundle.sh on a machine with a GPU (CUDA's driver, cuDNN 9 as a pip wheel, PyTorch) and without .NET or network:
#   run.sh ARCHIVE [--output DIR] [--seconds N] [--software] [--networks NAME,...|none] [--resume FILE] [--fresh] [STEP ...]
# Steps: probe smoke bench tests verify sanitize report. Without one, the first that is not done; "all" for one after the other.
# A step is made of parts. Each writes its result when it ends, and is not run again (--fresh forgets); a step stops after N seconds
# (450 unless given), and the same command goes on from there. A part that has N seconds to itself and does not end is noted as not
# finished, which is no failure. Exit code: 0 all asked for is done, 3 call again, 1 a part failed.
# Writes DIR/<gpu>/ (DIR is ./results unless given), README.md is the summary; DIR/home keeps what was tuned and compiled. After every
# call DIR/<gpu>.tar.gz holds the results and the choices of engines: all that has to come home, and what --resume goes on from.
# --software tries this out on the test-only software device.
set -uo pipefail

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
all=(probe smoke bench tests verify sanitize report)
archive='' output=$PWD/results seconds=450 software=0 networks='' fresh=0 resume='' steps=()
while [ $# -gt 0 ]; do
    case $1 in
        --output) output=$(realpath -m "${2:?--output takes a folder}"); shift ;;
        --seconds) seconds=${2:?--seconds takes a number}; shift ;;
        --networks) networks=${2:?--networks takes names}; shift ;;
        --resume) resume=$(realpath "${2:?--resume takes a file}"); shift ;;
        --software) software=1 ;;
        --fresh) fresh=1 ;;
        probe | smoke | tests | verify | sanitize | bench | report) steps+=("$1") ;;
        all) steps=("${all[@]}") ;;
        -*) usage ;;
        *) [ -z "$archive" ] && [ -e "$1" ] || usage; archive=$(realpath "$1") ;;
    esac
    shift
done
[ -n "$archive" ] || usage

mkdir -p "$output" || exit 1
[ -z "$resume" ] || tar -C "$output" --skip-old-files -xzf "$resume" || exit 1

# Unpacked once for all calls.
root=$archive
if [ ! -d "$archive" ]; then
    root=$output/unpacked/atrous-gpu
    stamp=$output/unpacked/$(stat -c %s-%Y "$archive")
    if [ ! -e "$stamp" ]; then
        rm -rf "$output/unpacked" && mkdir -p "$output/unpacked"
        # Some images have no xz; Python brings its own.
        tar -C "$output/unpacked" -xJf "$archive" 2>/dev/null || python3 -m tarfile -e "$archive" "$output/unpacked" || exit 1
        : >"$stamp"
    fi
fi
atrous=$root/artifacts/bin/Atrous.Cli/release/atrous
tests=$root/artifacts/bin/Atrous.Cuda.Tests/release/Atrous.Cuda.Tests
models=$root/models
# The runtime of the archive and no other. Engines, the driver's compiled kernels and PyTorch's stay from call to call. HOME is left
# alone where there is one: PyTorch may be installed below it.
home=$output/home
export DOTNET_ROOT=$root/runtime DOTNET_MULTILEVEL_LOOKUP=0 DOTNET_gcServer=0 ATROUS_HOME=$home/atrous CUDA_CACHE_MAXSIZE=1073741824
export TORCHINDUCTOR_CACHE_DIR=$home/inductor TRITON_CACHE_DIR=$home/triton CUDA_CACHE_PATH=$home/nv
mkdir -p "$ATROUS_HOME"
[ -d "${HOME:-}" ] || export HOME=$home
cd "$root" || exit 1

has_torch=0
python3 -c 'import torch' 2>/dev/null && has_torch=1
if [ $software -eq 1 ]; then
    # Its times mean nothing: some are taken, so that the way is gone, and the rest proposed.
    export ATROUS_CUDA_PATH=$root/artifacts/device ATROUS_CUDA_TUNING=5
    # The device finds its kernels beside the tests.
    ATROUS_DEVICE_KERNELS=$(dirname "$tests")/libatrous_kernels_host.so
    export ATROUS_DEVICE_KERNELS
    size=65x65 runs=1 batches='1 2' warm_up=1 networks=${networks:-deeplabv3plus_mobilenetv2} gpu=software-device
else
    export ATROUS_TEST_GPU=1 PATH=$PATH:/usr/local/cuda/bin
    # cuDNN and cuBLASLt of the Python that has PyTorch, whatever starts it.
    wheels=$(python3 -c 'import glob, sys; print(":".join(found for path in sys.path for found in glob.glob(path + "/nvidia/*/lib")))')
    export ATROUS_CUDA_PATH=${ATROUS_CUDA_PATH:-$wheels}
    size=513x513 runs=100 batches='1 16' warm_up=5 networks=${networks:-deeplabv3plus_resnet101,deeplabv3plus_mobilenetv2}
    gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1 | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9-')
    [ -n "$gpu" ] || { echo "error: nvidia-smi shows no GPU; --software tries this out without one" >&2; exit 1; }
fi
results=$output/$gpu
[ $fresh -eq 0 ] || for step in "${steps[@]:-${all[@]}}"; do rm -rf "$results/parts/$step" "$results/parts/$step.done"; done
mkdir -p "$results/parts"
log=$results/run.log
step='' step_end=0 late=0 failed=0
say() { echo "== $*" | tee -a "$log"; }
skip() { grep -qxF "$1 skipped: $2" "$log" 2>/dev/null || echo "$1 skipped: $2" | tee -a "$log"; }

# part NAME COMMAND...: runs a part of the step, if it was not run before; its output is parts/STEP/NAME.out. One that fails is not
# tried again either: its exit code is its result. One that runs out of the step's time is.
part() {
    local name=$1 file=$results/parts/$step/$1 left=$((step_end - SECONDS)) code
    shift
    [ ! -e "$file.out" ] || return 0
    mkdir -p "$results/parts/$step"
    if [ $left -le 5 ]; then late=1; return 0; fi
    local start=$SECONDS
    timeout -k 5 "$left" "$@" >"$file.part" 2>"$file.err"
    code=$?
    # Ended by the time limit; who is killed before it, for want of memory, has failed.
    if { [ $code -eq 124 ] || [ $code -eq 137 ]; } && [ $((SECONDS - start)) -ge $((left - 1)) ]; then
        # A part that has a whole step to itself and does not end in it never will.
        if [ $left -lt $((seconds * 9 / 10)) ]; then late=1; return 0; fi
        echo "not finished in $left s: $step $name" | tee -a "$log"
    elif [ $code -ne 0 ]; then
        failed=1
        echo "exit code $code: $step $name (parts/$step/$name.err)" | tee -a "$log"
    fi
    mv "$file.part" "$file.out"
    collect
}

# What the parts of this step have written so far, in one file.
collect() {
    case $step in
        tests) cat "$results"/parts/tests/*.out >"$results/tests.log" 2>/dev/null ;;
        sanitize) cat "$results"/parts/sanitize/*.out >"$results/sanitizer.log" 2>/dev/null ;;
        verify) cat "$results"/parts/verify/*.out >"$results/verify.jsonl" 2>/dev/null ;;
        bench)
            cat "$results"/parts/bench/atrous.*.out >"$results/bench.jsonl" 2>/dev/null
            cat "$results"/parts/bench/{torch,onnx}.*.out >"$results/peers.jsonl" 2>/dev/null
            ;;
        probe) cat "$results"/parts/probe/machine*.out >"$results/machine.jsonl" 2>/dev/null ;;
    esac
}

# The made checkpoints that a step wants; once.
make_models() {
    [ "$networks" != none ] || return 0
    [ $has_torch -eq 1 ] || { skip "the networks $networks" "python3 has no torch to make them with"; return; }
    local name
    for name in ${networks//,/ }; do
        [ -e "$models/$name.pth" ] || part "make.$name" python3 bench/peers/torch_peer.py make "$models" "$name"
    done
}

# Checkpoints: the made ones in the order that was asked for, those that were carried, the one in the box.
checkpoints() {
    local name
    for name in ${networks//,/ }; do [ -e "$models/$name.pth" ] && echo "$models/$name.pth"; done
    ls "$models"/*.safetensors "$root"/artifacts/bin/Atrous.Cli/release/models/*.safetensors 2>/dev/null
}

boxed() { ls "$root"/artifacts/bin/Atrous.Cli/release/models/*.safetensors 2>/dev/null | head -1; }
name_of() { basename "${1%.*}"; }

step_probe() {
    part machine echo "{\"commit\": \"$(cat COMMIT)\", \"date\": \"$(date -u +%Y-%m-%d)\", \"device\": \"$gpu\"}"
    if [ $has_torch -eq 1 ] && [ $software -eq 0 ]; then part machine.torch python3 bench/gpu/torch_gpu.py machine; fi
    part devices "$atrous" devices
    if [ $software -eq 0 ]; then part smi nvidia-smi -q; fi
    # Which of NVIDIA's libraries find their parts by themselves.
    part libraries bash -c 'command -v readelf >/dev/null || { echo "no readelf"; exit 0; }
        for folder in ${ATROUS_CUDA_PATH//:/ }; do
            for file in "$folder"/lib{cudnn,cublasLt,nvrtc}*.so.*; do
                [ -e "$file" ] && echo "$file" && readelf -d "$file" | grep -iE "r(un)?path|needed"
            done
        done; true'
    cat "$results/parts/probe/devices.out" 2>/dev/null
}

# The small network, with every choice told: chosen by time, as the libraries propose, and with all steps in turn.
step_smoke() {
    local model
    model=$(boxed)
    [ -n "$model" ] || { skip smoke "there is no model in the box"; return; }
    part tuned env ATROUS_CUDA_LOG=1 CUDNN_LOGLEVEL_DBG=2 CUDNN_LOGDEST_DBG=stderr \
        "$atrous" bench "$model" --device cuda --precision fp16 --size $size --runs $runs --warm-up $warm_up --json
    part proposed env ATROUS_CUDA_LOG=1 ATROUS_CUDA_TUNING=off \
        "$atrous" bench "$model" --device cuda --precision fp16 --size $size --runs $runs --warm-up $warm_up --json
    part branched env ATROUS_CUDA_LOG=1 \
        "$atrous" bench "$model" --device cuda --precision fp16 --size $size --runs $runs --warm-up $warm_up --json
    part in_turn env ATROUS_CUDA_LOG=1 ATROUS_CUDA_BRANCHES=off \
        "$atrous" bench "$model" --device cuda --precision fp16 --size $size --runs $runs --warm-up $warm_up --json
    part strict env ATROUS_CUDA_LOG=1 \
        "$atrous" bench "$model" --device cuda --precision fp32 --size $size --runs $runs --warm-up $warm_up --json
    local line
    for line in "cannot be built" "does not take it" "no engine for slices" "is no candidate" "is left out" "cannot be captured" "heuristics"; do
        echo "$line: $(cat "$results"/parts/smoke/*.err 2>/dev/null | grep -c "$line")"
    done | tee "$results/smoke.txt"
}

# A class at a time, and of those that take long a method at a time, some of them in parts.
long='GoldenTests|OpTests|PrecisionTests|KernelOpTests|BranchTests'
many='Agrees_with_the_reference.*|An_operation_stays_within.*|Fp32_gives_the_original.*'
step_tests() {
    local name i
    part methods "$tests" -list methods -noLogo -noColor
    while read -r name; do
        if [[ $name == *Tests ]]; then
            part "$name" "$tests" -noLogo -noColor -parallel none -class "$name"
        elif [[ ${name##*.} =~ ^($many)$ ]]; then
            for i in 1 2 3 4; do
                part "$name.$i" env ATROUS_TEST_PART=$i/4 "$tests" -noLogo -noColor -parallel none -method "$name"
            done
        else
            part "$name" "$tests" -noLogo -noColor -parallel none -method "$name"
        fi
    done < <(grep -E '^Atrous\.[A-Za-z.]+Tests\.[A-Za-z0-9_]+$' "$results/parts/tests/methods.out" 2>/dev/null |
        sed -E "/\.($long)\./!s/\.[^.]+\$//" | sort -u)
    grep -hE 'Total: ' "$results/tests.log" | tail -n 3
}

step_sanitize() {
    [ $software -eq 0 ] || { skip sanitize "the software device checks every access by itself"; return; }
    command -v compute-sanitizer >/dev/null || { skip sanitize "there is no compute-sanitizer"; return; }
    local tool class
    for tool in memcheck racecheck; do
        for class in OpTests BackendKernelTests; do
            part "$tool.$class" compute-sanitizer --tool $tool --target-processes all --error-exitcode 9 \
                "$tests" -noLogo -noColor -parallel none -class "*.$class"
            grep -qE 'Device not supported|not permitted|Unable to attach' "$results/parts/sanitize/$tool.$class".{out,err} 2>/dev/null &&
                skip sanitize "this machine forbids it (parts/sanitize/$tool.$class.err)"
        done
    done
    grep -hE 'ERROR SUMMARY|RACECHECK SUMMARY|Total:' "$results/sanitizer.log"
}

step_verify() {
    make_models
    local model precision pictures
    for model in $(checkpoints); do
        # Real photos for real weights; random ones do with the made picture.
        pictures=''
        [[ $model == *.safetensors ]] && pictures=$(ls samples/1005.jpg samples/1013.jpg "$models"/*.jpg "$models"/*.png 2>/dev/null)
        for precision in fp32 tf32 fp16 bf16; do
            # shellcheck disable=SC2086
            part "$(name_of "$model").$precision" \
                "$atrous" verify "$model" --device cuda --precision $precision --size $size --json -q $pictures
        done
        if [ $has_torch -eq 1 ] && [[ $model == *.pth ]]; then
            part "$(name_of "$model").torch" python3 bench/gpu/torch_gpu.py compare "$atrous" cuda $size "$model"
        fi
    done
}

bench_atrous() { # MODEL PRECISION BATCH RUNS WARM_UP
    part "atrous.$(name_of "$1").$2.b$3.r$4" \
        "$atrous" bench "$1" --device cuda --precision "$2" --size $size --batch "$3" --runs "$4" --warm-up "$5" --json
}

step_bench() {
    make_models
    local model precision batch name mode
    # Engines are chosen in the first run of a shape, which takes what it takes: what was chosen is kept even where time ends.
    for model in $(checkpoints); do
        for batch in $batches; do
            part "tune.$(name_of "$model").fp16.b$batch" \
                "$atrous" bench "$model" --device cuda --precision fp16 --size $size --batch "$batch" --runs 1 --warm-up 0 --json
            bench_atrous "$model" fp16 "$batch" $runs $warm_up
        done
        # The start-up of every later process.
        bench_atrous "$model" fp16 1 0 0
    done
    if [ $software -eq 1 ] || [ $has_torch -eq 0 ]; then
        skip "PyTorch and the floors" "$([ $software -eq 1 ] && echo 'there is no GPU to measure' || echo 'python3 has no torch')"
    else
        part torch.floors python3 bench/gpu/torch_gpu.py floors
        for name in ${networks//,/ }; do
            for batch in $batches; do
                for mode in eager compile; do
                    part "torch.$name.$mode.b$batch" python3 bench/gpu/torch_gpu.py bench $mode $size "$batch" "$models/$name.pth"
                done
            done
        done
    fi
    bench_onnx
    for model in $(checkpoints); do
        for precision in bf16 tf32 fp32; do bench_atrous "$model" $precision 1 $runs $warm_up; done
    done
}

# ONNX Runtime's GPU providers and TensorRT, as far as Python has them, on the network as `atrous export` writes it.
bench_onnx() {
    local runtimes runtime model batch name also=''
    [ $software -eq 0 ] || also=cpu
    part runtimes python3 bench/gpu/onnx_gpu.py runtimes $also
    runtimes=$(sed -n 's/.*"runtime": "\([a-z]*\)".*/\1/p' "$results/parts/bench/runtimes.out" 2>/dev/null)
    [ -n "$runtimes" ] || { skip "ONNX Runtime and TensorRT" "python3 has neither onnxruntime for GPUs nor tensorrt"; return; }
    mkdir -p "$home/onnx"
    for model in $(checkpoints); do
        name=$(name_of "$model")
        for batch in $batches; do
            [ -e "$home/onnx/$name.b$batch.onnx" ] || [ -e "$results/parts/bench/export.$name.b$batch.out" ] ||
                part "export.$name.b$batch" "$atrous" export "$model" -o "$home/onnx/$name.b$batch.onnx" \
                    --size $size --batch "$batch" --pixels -q
            [ -e "$home/onnx/$name.b$batch.onnx" ] || continue
            for runtime in $runtimes; do
                part "onnx.$name.$runtime.b$batch" \
                    python3 bench/gpu/onnx_gpu.py bench "$runtime" $size "$batch" "$home/onnx/$name.b$batch.onnx"
            done
        done
    done
}

step_report() { python3 bench/gpu/report.py "$results" | tee "$results/README.md"; }

if [ ${#steps[@]} -eq 0 ]; then
    for step in "${all[@]}"; do [ -e "$results/parts/$step.done" ] || { steps=("$step"); break; }; done
    [ ${#steps[@]} -gt 0 ] || { say "all steps are done; --fresh runs them again"; steps=(report); }
fi
for step in "${steps[@]}"; do
    step_end=$((SECONDS + seconds))
    say "$step, at most $seconds s"
    late=0
    "step_$step"
    collect
    if [ $late -eq 1 ]; then
        say "$step is not done: call again"
        break
    fi
    : >"$results/parts/$step.done"
done
python3 bench/gpu/report.py "$results" >"$results/README.md" 2>>"$log"
# One file to take home.
tar -C "$output" -czf "$output/$gpu.tar.gz.part" "$gpu" home/atrous && mv "$output/$gpu.tar.gz.part" "$output/$gpu.tar.gz" &&
    say "$output/$gpu.tar.gz has the results and the choices of engines, $(stat -c %s "$output/$gpu.tar.gz") bytes"
[ $late -eq 0 ] || exit 3
exit $failed
