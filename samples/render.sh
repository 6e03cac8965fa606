#!/usr/bin/env bash
# Renders samples/street.png from samples/street.pov. Needs POV-Ray 3.7 (Debian: apt-get install povray); takes minutes. +HR: radiosity alike on every run.
set -euo pipefail
cd "$(dirname "$0")"
povray +Istreet.pov +Ostreet.png +W1280 +H720 +A0.15 +AM2 +R2 +HR -J -D +FN8 File_Gamma=sRGB "$@"
