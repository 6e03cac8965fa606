# Programs that are written against the packages, on this platform. Sourced by run.sh.

# exits CODE COMMAND...: that exit code, and no stack trace on either stream. What hangs under an emulator fails.
exits() {
    local code=$1 actual
    shift
    timeout -k 10 1200 "$@" >out.txt 2>err.txt </dev/null
    actual=$?
    cat out.txt err.txt
    [ $actual = "$code" ] && ! grep -qE '^ +at |Unhandled' out.txt err.txt || { echo "exit code $actual" && return 1; }
}
# refuses CODE WORDS COMMAND...: that exit code, and an error that has these words.
refuses() {
    local code=$1 words=$2
    shift 2
    exits "$code" "$@" && { grep -qF -- "$words" err.txt || { echo "the error lacks: $words" && return 1; }; }
}

new_console() {
    dotnet new console -o hello && cd hello && dotnet add package Atrous --prerelease || return 1
    cat >Program.cs <<'END'
using var segmenter = Atrous.Segmenter.LoadDefault();
using var photo = Atrous.Imaging.Image.Load(args[0]);
segmenter.Segment(photo).SaveMask(args[1]);
END
    dotnet run -c Release -- ../street.png ../hello.png && cd .. && [ -s hello.png ]
}
check "a new console project with dotnet add package Atrous and three lines segments the sample" new_console

# All at once, which takes half the time of one after the other.
cat >all.proj <<'END'
<Project DefaultTargets="Build">
  <ItemGroup>
    <Program Include="code/*/*.csproj;agree/agree.csproj" />
    <Program Update="@(Program)" AdditionalProperties="Configuration=Release;OutDir=$(MSBuildThisFileDirectory)built/%(Filename)/" />
  </ItemGroup>
  <Target Name="Restore"><MSBuild Projects="@(Program)" Targets="Restore" /></Target>
  <Target Name="Build"><MSBuild Projects="@(Program)" Targets="Build" BuildInParallel="true" /></Target>
</Project>
END
check "the programs build" dotnet build all.proj -m -v quiet -nologo
for sample in console folder frames web; do
    check "samples/code/$sample is built" [ -x "built/$sample/$sample" ]
done
agree() { dotnet built/agree/agree.dll "$@"; }

# The symbols of the packages, which contents.sh has laid there: sources to step into, and no folder of the builder's.
sources() { # package, one of its sources
    agree "$1.pdb" "$2" "$root/managed/$2"
}
check "the symbols of Atrous hold its sources" sources Atrous Atrous/Segmenter.cs
check "the symbols of Atrous.Server hold its sources" sources Atrous.Server Atrous.Server/AtrousServer.cs

# The sample, and one photo in every format.
pictures=(street.png 1005.jpg $(cd "$root/tests/packages/pictures" && ls))
for picture in "${pictures[@]}"; do
    check "console: $picture" exits 0 built/console/console "$picture" "$picture.x64.png" && cp out.txt "$picture.x64.txt"
done
check "console: the sample, as the three lines segment it" eval \
    'agree street.png.x64.png hello.png'
check "console: a text is no photo" refuses 3 text.jpg built/console/console text.jpg
check "console: a file that is not there" refuses 3 nowhere.png built/console/console nowhere.png
check "console: no arguments" refuses 2 usage built/console/console

folder() {
    mkdir -p photos && cp 1005.jpg text.jpg photos/ && cp street.png photos/a.png || return 1
    refuses 3 text.jpg built/folder/folder photos masks && [ "$(ls masks | tr '\n' ' ')" = "1005.png a.png " ] &&
        grep -q "2 masks are in masks" out.txt
}
check "folder: every photo but the broken one" folder
interrupted() {
    mkdir -p many && for i in $(seq 40); do cp street.png "many/$i.png"; done
    # What bash starts in the background ignores SIGINT unless told otherwise.
    env --default-signal=INT built/folder/folder many masks-of-many >out.txt 2>err.txt &
    local id=$!
    for _ in $(seq 600); do [ "$(ls masks-of-many 2>/dev/null | wc -l)" -ge 1 ] && break || sleep 0.1; done
    kill -INT $id
    wait $id
    [ $? = 130 ] && grep -q "stopped" err.txt && [ "$(ls masks-of-many | wc -l)" -lt 40 ]
}
check "folder: Ctrl-C ends it with what is done" interrupted
frames() {
    head -c $((2 * 64 * 48 * 3)) /dev/zero | built/frames/frames 64 48 >film && [ "$(stat -c %s film)" = $((2 * 64 * 48 * 3)) ] ||
        return 1
    head -c 1000 /dev/zero | built/frames/frames 64 48 >film
    [ $? = 3 ]
}
check "frames: as many frames out as in, and a part of one is refused" frames
web() {
    local port=$((20000 + RANDOM % 20000)) id code=1
    built/web/web --urls "http://127.0.0.1:$port" >web.txt 2>&1 &
    id=$!
    for _ in $(seq 300); do curl -sf "http://127.0.0.1:$port/health" && break || sleep 0.1; done
    curl -sf --data-binary @1005.jpg "http://127.0.0.1:$port/shares" >shares.json && grep -q '"road":0\.' shares.json &&
        [ "$(curl -s -o problem.json -w '%{http_code}' --data-binary @text.jpg "http://127.0.0.1:$port/shares")" = 400 ] &&
        grep -q '"detail"' problem.json && code=0
    kill $id && wait $id
    cat web.txt shares.json problem.json
    return $code
}
check "web: answers shares, and a text with a problem" web

tool() {
    dotnet tool install Atrous.Cli --prerelease --tool-path tools && exits 0 tools/atrous --version &&
        grep -qE '^[0-9]+\.[0-9]+\.[0-9]+' out.txt && exits 0 tools/atrous segment street.png -o tool.png &&
        agree tool.png street.png.x64.png && exits 0 tools/atrous models && exits 0 tools/atrous completion bash
}
check "dotnet tool install: atrous segments the sample" tool

# What the runtime compiles before the first mask is time of every start: 550 methods, where they were 2,680 (decision 28).
few_methods() {
    DOTNET_JitDisasmSummary=1 DOTNET_JitStdOutFile="$PWD/methods.txt" exits 0 tools/atrous segment street.png -o tool.png &&
        echo "$(wc -l <methods.txt) methods" && [ "$(wc -l <methods.txt)" -gt 0 ] && [ "$(wc -l <methods.txt)" -lt 700 ]
}
check "atrous: a start compiles few methods" few_methods
check "atrous: a text is no photo" refuses 3 text.jpg tools/atrous segment text.jpg
check "atrous: an option that there is not" refuses 2 --frob tools/atrous segment street.png --frob

single() {
    dotnet publish code/console -c Release -r "$host" -p:PublishSingleFile=true --self-contained false -o single -v quiet \
        -nologo && rm -f single/*.pdb && ls single && exits 0 single/console 1005.jpg single.png &&
        agree single.png 1005.jpg.x64.png
}
check "console, published as one file, finds model and library" single
# published NAME OPTIONS...: a publication with these options says nothing of code that it may break, and segments.
published() {
    local name=$1
    shift
    dotnet publish code/console -c Release -r "$host" "$@" -o "$name" -v quiet -nologo >publish.txt 2>&1 || { cat publish.txt && return 1; }
    ! grep -E 'warning (IL|AOT)' publish.txt && rm -f "$name"/*.pdb && ls -sh "$name" &&
        exits 0 "$name/console" 1005.jpg "$name.png" && agree "$name.png" 1005.jpg.x64.png
}
if [ "${ATROUS_CI_PLATFORMS:-0}" = 1 ]; then
    check "console, published as one file with .NET and the libraries in it" eval \
        'published whole -p:PublishSingleFile=true -p:IncludeNativeLibrariesForSelfExtract=true --self-contained &&
         [ -z "$(find whole -name "*.so" -o -name "*.dll")" ]'
    check "console, published trimmed" published trimmed -p:PublishTrimmed=true --self-contained
    compiler=()
    command -v clang >/dev/null || compiler=(-p:CppCompilerAndLinker=gcc)
    check "console, compiled ahead of time" published ahead -p:PublishAot=true "${compiler[@]}"
    # In the repository, as anybody would who does not know eng/pack.sh.
    plain() {
        (cd "$root" && NUGET_PACKAGES=$machine dotnet pack -c Release "-p:PackageOutputPath=$work/plain" -v quiet -nologo) &&
            [ "$(cd "$work/plain" && ls *.nupkg | sed -E 's/\.[0-9]+\.[0-9]+\.[0-9]+.*//' | LC_ALL=C sort | tr '\n' ' ')" = "Atrous Atrous.Cli \
Atrous.Cli.$host Atrous.Hosting Atrous.ManagedCuda Atrous.ManagedCuda.CUBLAS Atrous.ManagedCuda.CUDNN Atrous.Onnx Atrous.Server " ] ||
            { ls "$work/plain" && return 1; }
    }
    check "dotnet pack in the repository makes the packages and no other" plain
else
    skip "console, published trimmed, ahead of time and with .NET in it, and dotnet pack: ATROUS_CI_PLATFORMS=1 asks for them"
fi
missing() { # what to take away, words
    rm -rf lacking && cp -r single lacking && rm -r "lacking/$1" && refuses 1 "$2" lacking/console 1005.jpg
}
check "a library that is missing: the error names the package" missing libatrous.so "for $host is not in"
check "a model that is missing: the error names the package" missing models "the NuGet package Atrous brings it"
