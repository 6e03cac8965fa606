#!/usr/bin/env bash
# Large runs on a real Slurm: a controller and two nodes on this machine, an array of 8 over 400 pictures of which one node
# dies in the middle, and the same with a folder that has no room left. Needs root and Debian's slurm-wlm and munge, and
# the tool: bench/scale/slurm.sh [ATROUS]. Prints what bench/results/<cpu>/scale.md has.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export ATROUS=${1:-$root/artifacts/bin/Atrous.Cli/release/atrous}
work=$(mktemp -d)
export SLURM_CONF=$work/slurm.conf
host=$(hostname -s)
daemons=()

stop() {
    [ -e "$work/small" ] && umount "$work/small" 2>/dev/null || true
    for pid in "${daemons[@]}" $(cat "$work"/*.pid 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
    sleep 1
    rm -rf "$work"
}
trap stop EXIT

mkdir -p "$work"/{state,n1,n2,munge,log}
head -c 1024 /dev/urandom > "$work/munge/key"
chmod 700 "$work/munge"; chmod 400 "$work/munge/key"
cat > "$SLURM_CONF" <<CONF
ClusterName=atrous
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
SlurmctldPort=16817
SlurmctldPidFile=$work/slurmctld.pid
SlurmctldLogFile=$work/log/slurmctld
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/%n
SlurmdPidFile=$work/slurmd-%n.pid
SlurmdLogFile=$work/log/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
JobRequeue=1
SlurmdTimeout=10
InactiveLimit=0
KillWait=5
SchedulerParameters=sched_interval=2,requeue_setup_env_fail
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=16818 CPUs=1 RealMemory=2000
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=16819 CPUs=1 RealMemory=2000
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF

munged --foreground --force --key-file "$work/munge/key" --socket "$work/munge/socket" --pid-file "$work/munge.pid" \
    --log-file "$work/log/munge" --seed-file "$work/munge/seed" 2> "$work/log/munge.out" & daemons+=($!)
for _ in $(seq 50); do [ -S "$work/munge/socket" ] && break; sleep 0.1; done
slurmctld -D > "$work/log/ctld" 2>&1 & daemons+=($!)
sleep 2
declare -A node
for name in n1 n2; do
    slurmd -D -N $name > "$work/log/$name.out" 2>&1 & node[$name]=$!; daemons+=($!)
done
for _ in $(seq 60); do
    [ "$(sinfo -h -t idle -o %D)" = 2 ] && break
    sleep 0.5
done
sinfo

python3 "$here/pictures.py" "$work/photos" 400
now() { date +%s.%N; }
since() { python3 -c "print(f'{$(now) - $1:.1f}')"; }
count() { find "$1" -name '*.mask.png' 2>/dev/null | wc -l; }
submit() { # submit OUT: the array over the pictures, one thread a task, as its node has one processor
    sbatch --parsable --array=0-7 --requeue --output="$work/log/task-%a" \
        --export=ALL,PHOTOS="$work/photos",OUT="$1",ATROUS,ATROUS_OPTIONS="--quiet --threads 1" \
        "$root/deploy/slurm/segment.sbatch"
}
settle() { while squeue -h -o %i | grep -q .; do sleep 0.5; done; }
tasks_on() { # the processes of a node's tasks, by their environment
    for process in /proc/[0-9]*; do
        environment=$(cat "$process/environ" 2>/dev/null | tr '\0' '\n') || continue
        if grep -qx "SLURMD_NODENAME=$1" <<< "$environment" && grep -qx "SLURM_CONF=$SLURM_CONF" <<< "$environment"; then
            echo "${process#/proc/}"
        fi
    done
}

echo "== one process, 2 threads"
start=$(now)
"$ATROUS" segment "$work/photos" -o "$work/one/masks" --jsonl "$work/one/lines/0.jsonl" --quiet
echo "seconds: $(since "$start")"
echo "== one process, 1 thread"
start=$(now)
"$ATROUS" segment "$work/photos" -o "$work/single/masks" --jsonl "$work/single/lines/0.jsonl" --quiet --threads 1
echo "seconds: $(since "$start")"

echo "== an array of 8 on two nodes of one processor"
start=$(now)
submit "$work/array" > /dev/null
settle
echo "seconds: $(since "$start")"
python3 "$here/check.py" "$work/array" "$work/one" 400
"$ATROUS" merge "$work/array/lines" --of "$work/photos" -o "$work/array/all.jsonl"

echo "== the same, and the second node dies in the middle"
start=$(now)
job=$(submit "$work/killed")
while [ "$(count "$work/killed")" -lt 60 ]; do sleep 0.2; done
victims=$(tasks_on n2)
parents=$(for task in $victims; do ps -o ppid= -p "$task" || true; done | sort -u)
echo "masks when it dies: $(count "$work/killed"); on it: $(squeue -h -w n2 -o %K | tr '\n' ' ')"
for process in ${node[n2]} $victims $parents; do
    [ "$process" -gt 1 ] && [ "$process" != $$ ] && kill -9 "$process" 2>/dev/null || true
done
for _ in $(seq 120); do
    sinfo -h -n n2 -o %t | grep -q down && break
    sleep 0.5
done
echo "node n2 after $(since "$start") s: $(sinfo -h -n n2 -o %t)"
slurmd -D -N n2 > "$work/log/n2.out" 2>&1 & daemons+=($!)
settle
echo "seconds: $(since "$start")"
echo "restarts by task: $(for task in 0 1 2 3 4 5 6 7; do scontrol show job "${job}_$task" | grep -o 'Restarts=[0-9]*'; done | tr '\n' ' ')"
python3 "$here/check.py" "$work/killed" "$work/one" 400
"$ATROUS" merge "$work/killed/lines" --of "$work/photos" -o "$work/killed/all.jsonl"

echo "== the same, in a folder without room for all"
mkdir "$work/small"
mount -t tmpfs -o "size=$(($(du -sk --apparent-size "$work/one/masks" | cut -f1) / 2 + 100))k" atrous "$work/small"
job=$(submit "$work/small")
settle
echo "masks: $(count "$work/small"); exit codes: $(for task in 0 1 2 3 4 5 6 7; do
    scontrol show job "${job}_$task" | grep -o 'ExitCode=[0-9]*' | cut -d= -f2; done | tr '\n' ' ')"
"$ATROUS" merge "$work/small/lines" --of "$work/photos" -o "$work/early.jsonl" || echo "merge ends with $?"
sort "$work"/log/task-* | grep -o 'No space left on device' | sort | uniq -c || true
mount -o remount,size=64m "$work/small"
submit "$work/small" > /dev/null
settle
python3 "$here/check.py" "$work/small" "$work/one" 400
"$ATROUS" merge "$work/small/lines" --of "$work/photos" -o "$work/small/all.jsonl"

echo "== an Indexed Job's environment: two processes at a time"
export PHOTOS=$work/photos
for index in 0 1; do
    JOB_COMPLETION_INDEX=$index bash -c '"$ATROUS" segment "$PHOTOS" --output "$0/masks" --quiet --threads 1 --retries 3 \
        --shard "$JOB_COMPLETION_INDEX/2" --skip-existing --jsonl "$0/lines/$JOB_COMPLETION_INDEX.jsonl"' "$work/job" &
    processes[index]=$!
done
wait "${processes[0]}"
wait "${processes[1]}"
python3 "$here/check.py" "$work/job" "$work/one" 400
"$ATROUS" merge "$work/job/lines" --of "$work/photos" -o "$work/job/all.jsonl"
