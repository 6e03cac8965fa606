#!/usr/bin/env bash
# exported-symbols.sh LIBRARY: counts what a library for Linux shows to others. Fails where that is not the C ABI alone:
# a symbol of the C++ library that two libraries show is one of them for both.
set -euo pipefail

exported=$(readelf --dyn-syms --wide "$1" | awk '$7 != "UND" && $5 != "LOCAL" && $4 ~ /FUNC|OBJECT|TLS/ { print $8 }' | sort -u)
ours=$(grep -c '^atrous_' <<<"$exported" || true)
others=$(grep -v '^atrous_' <<<"$exported" || true)
echo "$ours exported symbols"
if [ "$ours" = 0 ] || [ -n "$others" ]; then
    echo "error: $1 shows, beside atrous_*: $(echo "$others" | paste -sd ' ')" >&2
    exit 1
fi
