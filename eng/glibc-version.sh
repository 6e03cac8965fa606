#!/usr/bin/env bash
# glibc-version.sh LIBRARY [NEWEST]: prints the glibc that a library for Linux needs, and the libraries beside it that it
# asks for. Fails where that glibc is newer than NEWEST, or where a library is neither glibc's own nor the loader.
set -euo pipefail

library=$1 newest=${2:-}
needed=$(readelf -V --wide "$library" | grep -oE 'GLIBC_[0-9.]+' | sed 's/GLIBC_//' | sort -uV | tail -1)
[ -n "$needed" ] || { echo "error: $library names no version of glibc" >&2; exit 1; }
others=$(readelf -d --wide "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -vE '^(libc|libm|libpthread|libdl|librt)\.so\.[0-9]+$|^ld-linux-[a-z0-9_-]+\.so\.[0-9]+$' || true)
echo "glibc $needed"
if [ -n "$newest" ] && [ "$(printf '%s\n%s\n' "$needed" "$newest" | sort -V | tail -1)" != "$newest" ]; then
    echo "error: $library needs glibc $needed, newer than $newest" >&2
    exit 1
fi
if [ -n "$others" ]; then
    echo "error: $library needs $(echo "$others" | paste -sd ' ')" >&2
    exit 1
fi
