#!/usr/bin/env bash
# Publishes the tool with its own .NET, for the Dockerfile: eng/image.sh [DIR]     DIR is artifacts/image unless given
set -euo pipefail
cd "$(dirname "$0")/.."
output=$(realpath -m "${1:-artifacts/image}")
runtime=$(uname -m | sed 's/x86_64/linux-x64/;s/aarch64/linux-arm64/')
rm -rf "$output"
dotnet publish managed/Atrous.Cli -c Release -r "$runtime" --self-contained -o "$output" -v quiet --nologo
rm -f "$output"/*.pdb "$output"/*.xml
install -m 755 eng/ready.sh "$output/ready"
chmod -R a+rX,go-w "$output"
