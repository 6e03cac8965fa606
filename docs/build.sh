#!/usr/bin/env bash
# Builds a site of these pages and the API reference, from the libraries' XML comments, into artifacts/docs/site.
# A warning is an error: a link that leads nowhere, a comment that names what is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/artifacts/docs
rm -rf "$out"
mkdir -p "$out/assemblies" "$out/pages"
# The tool's output folder has the documented assemblies with all that they refer to.
dotnet build managed/Atrous.Cli -c Release -v quiet --nologo
cp artifacts/bin/Atrous.Cli/release/*.{dll,xml} "$out/assemblies/"

# The pages keep their places towards each other, so that links are the same here and in the repository.
{ git -c safe.directory='*' ls-files -- '*.md' 'docs/*.png' 'bench/results/*.svg' 'bench/results/*.json' \
    'deploy/*.yaml' 'deploy/*.yml' 'deploy/*.sbatch' || true; } |
    tar --create --files-from=- | tar --extract --directory="$out/pages"
cp docs/docfx.json docs/toc.yml "$out/pages/"

dotnet tool restore >/dev/null
dotnet docfx "$out/pages/docfx.json" --logLevel warning --log "$out/log.jsonl"
if grep '"severity":"\(warning\|error\)"' "$out/log.jsonl"; then
    echo "error: docfx has warnings (above)" >&2
    exit 1
fi
cp "$out/site/README.html" "$out/site/index.html"
echo "The pages are in artifacts/docs/site/index.html"
