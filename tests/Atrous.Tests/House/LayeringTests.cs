using System.Diagnostics;
using System.Text.RegularExpressions;
using Atrous.Tests.Support;

namespace Atrous.Tests.House;

/// <summary>The rules of the house: who may refer to whom, how long a file may be, and what no file may hold.</summary>
public sealed partial class LayeringTests
{
    private const int MaxLines = 400;

    /// <summary>
    /// Folders of managed/Atrous and the folders that each may name. "" is the root namespace's own files, the front
    /// door, which a few folders lie above; a folder that is missing here fails, so that its place is decided when it
    /// is made.
    /// </summary>
    internal static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Errors"] = [],
        ["Files"] = [],
        ["Native"] = [],
        ["Tensors"] = ["Native"],
        ["Catalog"] = ["Files"],
        ["Imaging"] = ["Native", "Files"],
        ["Graph"] = ["Tensors"],
        ["Specs"] = ["Graph", "Tensors"],
        ["Models"] = ["Specs", "Graph", "Tensors"],
        ["Checkpoints"] = ["Specs", "Graph", "Tensors", "Files"],
        ["Backends"] = ["Graph", "Tensors", "Native"],
        ["Preprocessing"] = ["Specs", "Imaging", "Tensors", "Native"],
        ["Postprocessing"] = ["Imaging", "Tensors", "Native"],
        ["Shapes"] = ["Postprocessing"],
        ["Scoring"] = ["Postprocessing", "Tensors"],
        ["Evaluation"] = ["Postprocessing", "Imaging"],
        ["Verification"] = ["", "Backends", "Models", "Graph", "Preprocessing", "Imaging", "Tensors"],
        ["Quantizing"] = ["", "Backends", "Checkpoints", "Exporting", "Models", "Specs", "Graph", "Preprocessing",
            "Postprocessing", "Imaging", "Native", "Tensors", "Verification"],
        ["Formats"] = ["", "Imaging", "Postprocessing", "Shapes", "Tensors"],
        ["Exporting"] = ["", "Checkpoints", "Models", "Specs", "Graph", "Tensors"],
        [""] = ["Catalog", "Specs", "Models", "Checkpoints", "Backends", "Preprocessing", "Postprocessing", "Shapes",
            "Scoring", "Imaging", "Graph", "Tensors", "Native"],
    };

    /// <summary>The other projects see the library by its front door and by what that door hands out.</summary>
    private static readonly Dictionary<string, string[]> Outside = new()
    {
        ["managed/Atrous.Cli"] = ["Native"],
        ["managed/Atrous.Onnx"] = ["Native", "Backends", "Imaging"],
        ["managed/Atrous.Hosting"] = ["Native", "Backends", "Checkpoints", "Graph", "Exporting"],
        ["managed/Atrous.Server"] = ["Native", "Backends", "Checkpoints", "Graph", "Exporting"],
    };

    public static TheoryData<string> Folders =>
    [
        .. Files(".cs").Where(IsLibrary).Select(FolderOf).Distinct().Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_refers_only_to_what_lies_below_it(string folder)
    {
        Assert.True(Allowed.TryGetValue(folder, out string[]? allowed),
            $"managed/Atrous/{folder} has no row in LayeringTests.Allowed.");
        string[] wrong =
        [
            .. Files(".cs").Where(file => IsLibrary(file) && FolderOf(file) == folder)
                .SelectMany(file => References(file).Where(other => other != folder && !allowed.Contains(other))
                .Select(other => $"{file} names Atrous.{other}")),
        ];
        Assert.Empty(wrong);
    }

    [Fact]
    public void The_table_has_no_cycle()
    {
        var above = new Stack<string>();
        foreach (string start in Allowed.Keys)
            Visit(start);
        void Visit(string folder)
        {
            Assert.DoesNotContain(folder, above);
            above.Push(folder);
            foreach (string below in Allowed[folder])
                Visit(below);
            above.Pop();
        }
    }

    /// <summary>Rooms that name each other all the same, and why.</summary>
    private static readonly Dictionary<(string, string), string> Mutual = new()
    {
        [("Atrous/Graph", "Atrous/Graph/Ops")] = "a whole and its parts",
        [("Atrous/Models", "Atrous/Models/Backbones")] = "a whole and its parts",
        [("Atrous/Models", "Atrous/Models/Heads")] = "a whole and its parts",
        [("Atrous/Backends/Cuda", "Atrous/Backends/Cuda/Convolutions")] = "a whole and its parts",
        [("Atrous/Checkpoints/Dialects", "Atrous/Checkpoints/Dialects/Encoders")] = "a whole and its parts",
        [("Atrous/Checkpoints/Dialects", "Atrous/Checkpoints/Dialects/OpenMmLab")] = "a whole and its parts",
        [("Atrous/Imaging", "Atrous/Imaging/Formats")] = "a whole and its parts",
        [("Atrous.Cli", "Atrous.Cli/Options")] = "only in spelling: ExitCode.BadInput is a number",
        [("Atrous.Cli/Batches", "Atrous.Cli/Segmenting")] = "a run keeps a journal, whose lines are of its jobs",
        [("Atrous.Cli/Segmenting", "Atrous.Cli/Videos")] = "`segment` takes videos, whose frames are made as pictures",
        [("Atrous.Server", "Atrous.Server/Configuration")] = "public options read their own settings",
        [("Atrous.Server", "Atrous.Server/OpenInference")] = "ServerJson lists every document for its generator",
        [("Atrous.Server", "Atrous.Server/V1")] = "ServerJson lists every document for its generator",
        [("Atrous.Server/OpenInference", "Atrous.Server/Rpc")] = "one protocol over two carriers, guarded in one place",
        [("Atrous.Hosting", "Atrous.Hosting/Configuration")] = "public options read their own settings",
        [("Atrous.Hosting", "Atrous.Hosting/Requests")] = "a photo that is given out holds its part of the budget",
        [("Atrous.Hosting/Lifecycle", "Atrous.Hosting/Requests")] = "a served model is its life and its requests",
        [("Atrous.Hosting/Requests", "Atrous.Hosting/Telemetry")] = "gauges read the models, which count for them",
    };

    /// <summary>
    /// Within a folder of the library, and within another project, references go one way, too: no two rooms (itself
    /// and its sub-folders) declare types for each other. A file of a project's root that no room names, as Program,
    /// stands above them all.
    /// </summary>
    [Fact]
    public void Rooms_of_a_folder_refer_one_way()
    {
        string[] files = [.. Files(".cs").Where(file => Wholes.Contains(ProjectOf(file)))];
        (string File, Place Place)[] uses =
        [
            .. files.SelectMany(file => Words(file).Where(Declared.Value.ContainsKey)
                .SelectMany(word => Declared.Value[word])
                .Where(place => place.Room != RoomOf(file) && WholeOf(place.File) == WholeOf(file))
                .Where(place => Sees(file, place.Namespace)).Select(place => (file, place))),
        ];
        HashSet<string> named = [.. uses.Select(use => use.Place.File)];
        HashSet<(string From, string To)> edges =
        [
            .. uses.Where(use => RoomOf(use.File) != $"managed/{ProjectOf(use.File)}" || named.Contains(use.File))
                .Select(use => (RoomOf(use.File)["managed/".Length..], use.Place.Room["managed/".Length..])),
        ];
        IEnumerable<(string From, string To)> mutual = edges.Where(edge =>
            string.CompareOrdinal(edge.From, edge.To) < 0 && edges.Contains((edge.To, edge.From)));
        // Nor is one excused that is none any more.
        Assert.Equal(Mutual.Keys.Order(), mutual.Order());
    }

    [Fact]
    public void Other_projects_come_through_the_front_door() => Assert.Empty(
        Outside.SelectMany(
            project => Files(".cs").Where(file => file.StartsWith(project.Key + "/", StringComparison.Ordinal))
            .SelectMany(file => References(file).Where(project.Value.Contains)
                .Select(other => $"{file} names Atrous.{other}"))));

    [Fact]
    public void The_cuda_bindings_know_nothing_of_Atrous() => Assert.DoesNotContain(
        Files(".cs"), file => file.StartsWith("managed/ManagedCuda", StringComparison.Ordinal)
        && BeyondBindings().IsMatch(Text(file)));

    [Fact]
    public void Only_the_backends_know_the_cuda_bindings() => Assert.DoesNotContain(
        Files(".cs"), file => file.StartsWith("managed/Atrous", StringComparison.Ordinal)
        && !file.StartsWith("managed/Atrous/Backends/", StringComparison.Ordinal)
            && Text(file).Contains("Atrous.ManagedCuda", StringComparison.Ordinal));

    [Fact]
    public void A_namespace_is_its_folder() => Assert.All(
        Files(".cs").Where(file => file.StartsWith("managed/", StringComparison.Ordinal)), file =>
        {
            string declared = Namespace().Match(Text(file)).Groups[1].Value;
            string folder = Path.GetDirectoryName(file)!["managed/".Length..].Replace('/', '.');
            if (!folder.StartsWith("Atrous", StringComparison.Ordinal))
                folder = "Atrous." + folder;
            // Exceptions are everybody's; the operation's base sits beside the graph that it is part of.
            Assert.True(declared == folder || IsLibrary(file) && declared is "Atrous" or "Atrous.Graph"
                && folder.StartsWith(declared, StringComparison.Ordinal), $"{file}: {declared}");
        });

    /// <summary>
    /// A test lies in the folder of what it tests, under its namespace; what belongs to no folder of the source, or to
    /// the root's own files (Segmenters), has one of a few of its own.
    /// </summary>
    [Fact]
    public void Tests_mirror_the_source()
    {
        string[] own = ["House", "Peers", "Segmenters", "Support", "Serving", "Serving/Soak", "Cli", "Cli/Deploy"];
        IEnumerable<string> tests = Files(".cs").Where(file =>
            file.StartsWith("tests/Atrous.Tests/", StringComparison.Ordinal)
            || file.StartsWith("tests/Atrous.Tests.Cli/", StringComparison.Ordinal));
        Assert.All(tests, file =>
        {
            string folder = Path.GetDirectoryName(file)!["tests/Atrous.Tests/".Length..];
            string[] sources = folder.Split('/', 2) is [("Cli" or "Serving") and var project, var inner]
                ? project == "Cli" ? [$"Atrous.Cli/{inner}"] : [$"Atrous.Hosting/{inner}", $"Atrous.Server/{inner}"]
                : [$"Atrous/{folder}"];
            Assert.True(own.Contains(folder)
                || sources.Any(source => Directory.Exists(Repository.PathOf($"managed/{source}"))), $"{file} tests no folder");
            Assert.Equal("Atrous.Tests." + folder.Replace('/', '.'), Namespace().Match(Text(file)).Groups[1].Value);
        });
    }

    /// <summary>One name, one type: a reader need not ask which of two is meant.</summary>
    [Fact]
    public void No_two_namespaces_declare_a_type_of_one_name() => Assert.Empty(
        Files(".cs").Where(file => file.StartsWith("managed/", StringComparison.Ordinal))
            .SelectMany(file => TypeName().Matches(Text(file)).Select(match => (
                Name: match.Groups[1].Value, Namespace: Namespace().Match(Text(file)).Groups[1].Value)))
            .Distinct().GroupBy(type => type.Name).Where(types => types.Count() > 1)
            .Select(types => $"{types.Key}: {string.Join(", ", types.Select(type => type.Namespace))}"));

    [Fact]
    public void No_file_is_longer_than_one_can_read() => Assert.Empty(
        Sources().Select(file => (file, lines: File.ReadLines(Repository.PathOf(file)).Count()))
            .Where(entry => entry.lines > MaxLines)
            .Select(entry => $"{entry.file} has {entry.lines} lines, {MaxLines} are allowed"));

    [Fact]
    public void Nothing_is_left_for_later() => Assert.Empty(
        Sources().Where(file => !file.EndsWith("LayeringTests.cs", StringComparison.Ordinal))
            .SelectMany(file => Unfinished().Matches(Text(file)).Select(match => $"{file}: {match.Value}")));

    [Fact]
    public void No_type_is_named_for_nothing() => Assert.Empty(
        Files(".cs").SelectMany(file => DoubtfulType().Matches(Text(file)).Select(match => $"{file}: {match.Value}")));

    private static IEnumerable<string> Sources() => Files(".cs", ".cpp", ".h", ".inc", ".cu", ".py", ".sh", ".targets");

    /// <summary>What git knows or would take, so that nothing built and nothing ignored is judged.</summary>
    private static string[] Files(params string[] extensions) =>
        [.. Tracked.Value.Where(
            file => extensions.Any(extension => file.EndsWith(extension, StringComparison.Ordinal)))];

    private static readonly Lazy<string[]> Tracked = new(() =>
    {
        var start = new ProcessStartInfo(
            "git", ["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process git = Process.Start(start)!;
        string output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        // A source archive has no .git: then every file beside the build's own counts.
        IEnumerable<string> files = git.ExitCode == 0
            ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : Directory.EnumerateFiles(Repository.Root, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Repository.Root, file))
                .Where(file => !file.StartsWith("artifacts/", StringComparison.Ordinal)
                    && !file.Contains("/obj/", StringComparison.Ordinal));
        return [.. files.Where(file => File.Exists(Repository.PathOf(file)))];
    });

    /// <summary>The projects whose rooms are looked at.</summary>
    private static readonly string[] Wholes = ["Atrous", "Atrous.Cli", "Atrous.Server", "Atrous.Hosting"];

    private static string ProjectOf(string file) =>
        file.StartsWith("managed/", StringComparison.Ordinal) ? file.Split('/')[1] : "";

    /// <summary>What a room is a part of: a folder of the library, or another project.</summary>
    private static string WholeOf(string file) => IsLibrary(file) ? "Atrous/" + FolderOf(file) : ProjectOf(file);

    private static bool IsLibrary(string file) => file.StartsWith("managed/Atrous/", StringComparison.Ordinal);

    private static string FolderOf(string file)
    {
        string[] parts = file.Split('/');
        return parts.Length > 3 ? parts[2] : "";
    }

    /// <summary>
    /// The folders that a file names: using directives and qualified names, of which comments are no part.
    /// </summary>
    private static IEnumerable<string> References(string file) =>
        Qualified().Matches(Comment().Replace(Text(file), ""))
        .Select(match => match.Groups[1].Value + match.Groups[2].Value)
            .Where(Allowed.ContainsKey).Concat(RootReferences(file)).Distinct();

    /// <summary>
    /// The folders whose types a file sees without saying so, because their namespace is the root's: its own files, and
    /// what other folders declare there. Exceptions are everybody's.
    /// </summary>
    private static IEnumerable<string> RootReferences(string file) => !IsLibrary(file) ? [] :
        Words(file).Where(Declared.Value.ContainsKey).SelectMany(word => Declared.Value[word])
            .Where(place => IsLibrary(place.File) && place.Namespace == "Atrous"
            && FolderOf(place.File) != "Errors")
            .Select(place => FolderOf(place.File));

    /// <summary>Every type that a file declares at its top: where, and in which namespace.</summary>
    private static readonly Lazy<Dictionary<string, Place[]>> Declared = new(() => Files(".cs")
        .Where(file => Wholes.Contains(ProjectOf(file)))
        .SelectMany(file => TypeName().Matches(Text(file)).Select(match => (
            match.Groups[1].Value,
            Place: new Place(file, RoomOf(file), Namespace().Match(Text(file)).Groups[1].Value))))
        .GroupBy(type => type.Value, type => type.Place).ToDictionary(types => types.Key, types => types.ToArray()));

    /// <summary>
    /// The names that a file uses alone, not as a member of something; comments are no part, nor are words in quotes.
    /// </summary>
    private static IEnumerable<string> Words(string file) =>
        Word().Matches(Quoted().Replace(Comment().Replace(Text(file), ""), "")).Select(match => match.Value).Distinct();

    /// <summary>Whether a file sees a namespace's types: it lies in it, below it, or says using.</summary>
    private static bool Sees(string file, string declared)
    {
        string own = Namespace().Match(Text(file)).Groups[1].Value;
        return own == declared || own.StartsWith(declared + ".", StringComparison.Ordinal)
            || Text(file).Contains($"using {declared};", StringComparison.Ordinal);
    }

    private static string RoomOf(string file) => Path.GetDirectoryName(file)!.Replace('\\', '/');

    private sealed record Place(string File, string Room, string Namespace);

    private static string Text(string file) => File.ReadAllText(Repository.PathOf(file));

    /// <summary>A literal that holds no expression.</summary>
    [GeneratedRegex("""
        "[^"{}\n]*"
        """)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^(?:public|internal)[\w ]*? (?:class|record struct|record|struct|interface|enum) (\w+)", RegexOptions.Multiline)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*\b")]
    private static partial Regex Word();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    // Also "Native.Something", which means the same within Atrous. Graph and Imaging are left out there: members have
    // these names; and so has Files, of a published model.
    [GeneratedRegex(@"(?<![\w.])(?:(?:global::)?Atrous\.(\w+)|(Catalog|Files|Native|Tensors|Specs|Models|Checkpoints|Backends|Preprocessing|Postprocessing|Shapes|Scoring|Evaluation|Verification|Quantizing|Formats|Exporting)\.(?!All\b|Sum\b|Count\b)[A-Z])")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"\bAtrous\.(?!ManagedCuda\b)")]
    private static partial Regex BeyondBindings();

    [GeneratedRegex(@"^\s*//.*$|^namespace .*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\bTODO\b|\bFIXME\b|\bHACK\b|\bXXX\b|NotImplementedException")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\b(?:class|record|struct|interface) \w*(?:Helper|Manager|Util|Utils|Utilities)\b")]
    private static partial Regex DoubtfulType();
}
