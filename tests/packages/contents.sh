# What the packages hold. Sourced by run.sh.

has() { # package, entries...
    local file=("$packages"/"$1".[0-9]*.nupkg) entry
    shift
    [ -e "${file[0]}" ] || { echo "there is no such package in $packages" && return 1; }
    unzip -Z1 "${file[0]}" | sed 's/%2B/+/g' >entries
    for entry in "$@"; do
        grep -qxF "$entry" entries || { echo "${file[0]} lacks $entry" && return 1; }
    done
}
says() { # package, lines of its .nuspec...
    local file=("$packages"/"$1".[0-9]*.nupkg) words
    shift
    unzip -p "${file[0]}" '*.nuspec' >nuspec
    for words in "$@"; do
        grep -qF "$words" nuspec || { echo "the .nuspec lacks $words" && cat nuspec && return 1; }
    done
    ! grep -qF "$root" nuspec || { echo "the .nuspec names the builder's folder" && return 1; }
}
library() { # package: an assembly with its documentation and symbols
    has "$1" "lib/net10.0/$1.dll" "lib/net10.0/$1.xml" README.md icon.png &&
        says "$1" '<license type="expression">MIT</license>' '<description>' '<tags>' '<icon>icon.png</icon>' \
            '<readme>README.md</readme>' || return 1
    local symbols=("$packages"/"$1".[0-9]*.snupkg)
    unzip -Z1 "${symbols[0]}" >entries
    grep -qxF "lib/net10.0/$1.pdb" entries || { echo "there are no symbols" && return 1; }
    # What they hold, programs.sh looks at: that takes a program.
    unzip -p "${symbols[0]}" "lib/net10.0/$1.pdb" >"$1.pdb"
}

for package in Atrous Atrous.Hosting Atrous.Onnx Atrous.Server Atrous.ManagedCuda Atrous.ManagedCuda.{CUBLAS,CUDNN}; do
    check "$package has its assembly, documentation, symbols, README and icon" library $package
done
check "Atrous has the default model and this platform's library" has Atrous models/atrous-street.{safetensors,NOTICE.txt} \
    buildTransitive/Atrous.targets "runtimes/$host/native/libatrous.so"
check "Atrous.Cli is a tool" has Atrous.Cli tools/any/any/DotnetToolSettings.xml README.md icon.png

# The tool of a platform: its program, Atrous' and Skia's libraries for it and for no other, without their symbols.
tool_for() { # runtime
    local folder=tools/net10.0/$1 skia=libSkiaSharp.so file size
    [ "${1%%-*}" != win ] || skia=libSkiaSharp.dll
    file=$(echo "$packages/Atrous.Cli.$1".[0-9]*.nupkg) size=$(stat -c %s "$file")
    has "Atrous.Cli.$1" "$folder"/{DotnetToolSettings.xml,Atrous.Cli.dll,Atrous.dll,"$skia",models/atrous-street.{safetensors,NOTICE.txt}} ||
        return 1
    # The least that a package with one library of Skia's, one of Atrous' and its code takes is some 17 MB.
    [ "$size" -lt 30000000 ] || { echo "$file has $size bytes" && cat entries && return 1; }
    [ "$(grep -cE '/(lib)?atrous\.(so|dll)$' entries)" = 1 ] && [ "$(grep -cE '/libSkiaSharp\.' entries)" = 1 ] ||
        { cat entries && return 1; }
}
mapfile -t runtimes < <(unzip -Z1 "$packages"/Atrous.[0-9]*.nupkg | sed -n 's#^runtimes/\([^/]*\)/native/.*#\1#p' | sort -u)
for runtime in "${runtimes[@]}"; do
    check "Atrous.Cli for $runtime has its own libraries alone" tool_for "$runtime"
done

# The newest glibc that a library may ask for: that of RHEL 9 and Amazon Linux 2023, as docs/install.md says.
newest=2.34
elf() { # entry
    unzip -p "$packages"/Atrous.[0-9]*.nupkg "$1" >library.so && "$root/eng/glibc-version.sh" library.so $newest &&
        "$root/eng/exported-symbols.sh" library.so
}
for library in $(unzip -Z1 "$packages"/Atrous.[0-9]*.nupkg | grep '^runtimes/linux-.*\.so$'); do
    check "$library needs no newer glibc than $newest and shows the C ABI alone" elf "$library"
done
