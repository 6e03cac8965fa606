#!/usr/bin/env bash
# A video of 2,000 frames to an overlay: memory of the tool and of its two ffmpegs as frames go by, and frames a second beside the pictures
# a second that `atrous bench` measures at the same size.
#   bench/video.sh [FRAMES] [WIDTHxHEIGHT]
# The video is samples/street.mp4, over and over. Needs ffmpeg. Prints a table in Markdown.
set -euo pipefail
cd "$(dirname "$0")/.."

frames=${1:-2000} size=${2:-480x360}
width=${size%x*} height=${size#*x}
work=artifacts/video
atrous=artifacts/bin/Atrous.Cli/release/atrous
mkdir -p "$work"
dotnet build -c Release managed/Atrous.Cli -v quiet --nologo >&2
ffmpeg -loglevel error -nostdin -y -stream_loop -1 -i samples/street.mp4 -frames:v "$frames" -vf "scale=$width:$height" \
    -c:v libx264 -preset veryfast "$work/long.mp4"

resident() {  # MiB of a process
    awk '/^VmRSS/ { printf "%d", $2 / 1024 }' "/proc/$1/status" 2>/dev/null || true
}

lines=$work/long.jsonl
rm -f "$lines"
"$atrous" segment "$work/long.mp4" -o "$work/long.overlay.mp4" --jsonl "$lines" 2> "$work/said" > /dev/null &
tool=$!
echo "| frames | tool, MiB | its ffmpegs, MiB |"
echo "|---|---|---|"
next=$((frames / 20))
while kill -0 "$tool" 2>/dev/null; do
    written=0
    [ ! -f "$lines" ] || written=$(wc -l < "$lines")
    if [ "$written" -ge "$next" ]; then
        children=""
        for child in $(pgrep -P "$tool"); do children="$children${children:+ + }$(resident "$child")"; done
        echo "| $written | $(resident "$tool") | $children |"
        next=$((next + (next < frames / 5 ? frames / 20 : frames / 10)))
    fi
    sleep 0.2
done
wait "$tool"
tail -n 1 "$work/said"
ffprobe -loglevel error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 "$work/long.overlay.mp4" |
    sed 's/$/ frames in the overlay/'
echo
"$atrous" bench --size "${height}x$width" --runs 100
