# The same program for other platforms, under emulators. Sourced by run.sh.

# Text output without what differs by platform: ends of lines, and an emulator's own remarks.
plain() { tr -d '\r' <"$1" | grep -vE '^(wine|[0-9a-f]+:)' || true; }

as_here() { # the command that runs the program, picture
    local run=$1 picture=$2
    exits 0 $run "$picture" other.png || return 1
    plain out.txt | diff - "$picture.x64.txt" && agree other.png "$picture.x64.png" | tee agreed.txt
}
wrong_here() { # the command, arguments of the program
    local run=$1 code
    shift
    built/console/console "$@" >here.out 2>here.err </dev/null
    code=$?
    exits $code $run "$@" || return 1
    diff <(plain out.txt) <(plain here.out) && diff <(plain err.txt) <(plain here.err)
}
platform() { # runtime, the command that runs the published program
    local runtime=$1 run=$2 picture
    check "console, published for $runtime" dotnet publish code/console -c Release -r "$runtime" --self-contained \
        -p:InvariantGlobalization=true -o "published/$runtime" -v quiet -nologo || return
    for picture in "${pictures[@]}"; do
        check "$runtime: $picture as on this platform" as_here "$run" "$picture" && sed 's/^/    /' agreed.txt
    done
    check "$runtime: a text is refused as on this platform" wrong_here "$run" text.jpg
    check "$runtime: so is a file that is not there" wrong_here "$run" nowhere.png
    check "$runtime: so is a checkpoint that is none" wrong_here "$run" 1005.jpg wrong.png text.jpg
    check "$runtime: so are too many arguments" wrong_here "$run" a b c d
}
brings() {
    unzip -Z1 "$packages"/Atrous.[0-9]*.nupkg >entries
    grep -q "^runtimes/$1/native/" entries
}

if [ "${ATROUS_CI_PLATFORMS:-0}" != 1 ]; then
    skip "linux-arm64 and win-x64: emulators take minutes; ATROUS_CI_PLATFORMS=1 asks for them"
    return
fi
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
if [ "$host" = linux-arm64 ] || ! brings linux-arm64; then
    skip "linux-arm64: the packages lack it, or it is this platform"
elif ! command -v qemu-aarch64-static >/dev/null || [ ! -d /usr/aarch64-linux-gnu ]; then
    skip "linux-arm64: qemu-user-static or the cross compiler's libraries are not installed"
else
    platform linux-arm64 "qemu-aarch64-static -L /usr/aarch64-linux-gnu published/linux-arm64/console"
fi
if ! brings win-x64; then
    skip "win-x64: the packages lack it"
elif ! command -v wine >/dev/null; then
    skip "win-x64: wine is not installed"
else
    export WINEPREFIX=$work/wine WINEDEBUG=-all
    wine wineboot --init >/dev/null 2>&1
    # Said, so that whoever sees a check hang knows what to think of first (README.md).
    compiler=x86_64-w64-mingw32-g++-posix
    if command -v $compiler >/dev/null && $compiler -O1 -static "$root/tests/packages/frames.cpp" -o frames.exe; then
        wine frames.exe >/dev/null 2>&1 ||
            echo "note: $(wine --version 2>/dev/null) keeps frames that are gone: exceptions through .NET's own frames hang there"
    fi
    platform win-x64 "wine published/win-x64/console.exe"
    wineserver -k 2>/dev/null || true
fi
