using System.Text;
using Atrous.Cli.Batches;
using Atrous.Cli.Evaluating;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Evaluation;
using Atrous.Files;

namespace Atrous.Cli.Merging;

/// <summary>Joins lines, counts what they lack, and adds up the scores of eval's.</summary>
internal sealed class MergeRun(TemporaryFiles temporaries)
{
    private const int MostNamed = 5;
    private readonly SortedDictionary<string, JournalLine> _lines = new(StringComparer.Ordinal);

    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>The pictures that there are; null where nobody says it.</summary>
    public required InputFiles? Expected { get; init; }

    /// <summary>Null for standard output.</summary>
    public required string? Output { get; init; }

    /// <summary>The file for the names of what is to be done; null for none.</summary>
    public required string? Missing { get; init; }

    public required bool Quiet { get; init; }

    /// <summary>Of lines of `atrous eval`: the measures as one JSON document, in place of a table.</summary>
    public required bool Json { get; init; }

    /// <summary>The files of lines that are named, and those in folders that are, by name.</summary>
    /// <exception cref="CommandException">There is no such file, or a folder has none.</exception>
    public static IReadOnlyList<string> FilesOf(IReadOnlyList<string> inputs)
    {
        var files = new List<string>();
        foreach (string input in inputs)
        {
            if (!Directory.Exists(input))
            {
                files.Add(input);
                continue;
            }
            string[] inside = [.. Directory.GetFiles(input, "*.jsonl").Order(StringComparer.Ordinal)];
            if (inside.Length == 0)
                throw new CommandException(ExitCode.BadInput, $"{input}: the folder has no .jsonl files.");
            files.AddRange(inside);
        }
        return files;
    }

    /// <summary>
    /// The exit code: worth another run where pictures are missing or may come through, else that of bad pictures.
    /// </summary>
    public int Run()
    {
        HashSet<string> read = [.. Files.Select(Path.GetFullPath)];
        string? own = new[] { Output, Missing }.OfType<string>()
            .FirstOrDefault(path => read.Contains(Path.GetFullPath(path)));
        if (own is not null)
            throw CommandException.Usage($"{own} is among the files that are joined; write it elsewhere.");
        foreach (string file in Files)
            Read(file);
        string[] expected = [.. Names(Expected)], foreign = LeaveOutForeign(expected);
        string[] missing = [.. expected.Where(name => !_lines.ContainsKey(name))];
        JournalLine[] failed = [.. _lines.Values.Where(line => !line.IsDone)];
        string[] again = [.. failed.Where(line => line.ExitCode == ExitCode.Failed).Select(line => line.Name)];
        Write(Output, _lines.Values.Select(line => line.Text));
        if (Missing is not null)
            Write(Missing, missing.Concat(again).Order(StringComparer.Ordinal));
        int pictures = Expected is null
            ? _lines.Values.Select(line => line.Pictures).Append(_lines.Count).Max()
            : _lines.Count + missing.Length;
        int lacking = pictures - _lines.Count;
        if (!Quiet)
        {
            Terminal.Message($"{_lines.Count - failed.Length} of {pictures} pictures are done, {failed.Length} failed, "
                + $"{lacking} {(lacking == 1 ? "has" : "have")} no line");
            Name("left out, since it is none of --of", foreign);
            Name("no line", missing);
            Name("failed", [.. failed.Select(line => line.Name)]);
            if (Expected is null && lacking > 0 && EmptyShards() is { Length: > 0 } shards)
                Terminal.Message($"there is no line of the {(shards.Length == 1 ? "part" : "parts")} {Few(shards)}");
            string[] written =
            [
                .. Output is null ? [] : new[] { $"lines in {Output}" },
                .. Missing is null ? [] : new[] { $"names of pictures to do again in {Missing}" },
            ];
            if (written.Length > 0)
                Terminal.Message(string.Join(", ", written));
        }
        bool several = IsOfSeveralRuns();
        if (!several && lacking == 0 && failed.Length == 0)
            Report();
        return several ? ExitCode.BadInput
            : lacking > 0 || again.Length > 0 ? ExitCode.Failed
            : failed.Length > 0 ? ExitCode.BadInput
            : ExitCode.Done;
    }

    /// <summary>The measures of all pictures together, where the lines are those of `atrous eval`.</summary>
    private void Report()
    {
        EvalLine?[] scored = [.. _lines.Values.Select(line => EvalLine.Parse(line.Text))];
        if (scored is not [{ } first, ..] || scored.Any(line => line?.Classes != first.Classes))
        {
            if (Json)
                throw CommandException.Usage("--json is the report of `atrous eval`, which did not write these lines.");
            return;
        }
        // Standard output has the lines already.
        if (Output is null)
            return;
        // Pictures that were renamed or taken away have lines of their own, and would count twice.
        int most = _lines.Values.Max(line => line.Pictures);
        if (Expected is null && _lines.Count > most)
        {
            throw new CommandException(
                ExitCode.BadInput,
                $"There are lines of {_lines.Count} pictures, and the data set had {most} at most: some have another "
                + "name now, or are gone. Name the data set with --of, so that their lines are left out.");
        }
        var matrix = new ConfusionMatrix(first.Classes);
        var names = new Dictionary<int, string>();
        foreach (EvalLine line in scored.OfType<EvalLine>())
        {
            matrix.Add(line.Counts, line.Ignored);
            foreach ((int label, string name) in line.Names)
                names[label] = name;
        }
        if (scored.All(line => line!.IsIgnoreAssumed))
            ForegroundDoubt.Refuse(matrix);
        var report = new EvalReport(matrix, scored.Length, ignore: null)
        {
            NameOf = label => names.GetValueOrDefault(label, $"class {label}"),
        };
        if (Json)
            report.WriteJson();
        else if (!Quiet)
            report.WriteTable();
    }

    /// <summary>Lines of pictures that are not among those that are named: they are part of no result.</summary>
    private string[] LeaveOutForeign(string[] expected)
    {
        if (Expected is null)
            return [];
        string[] foreign = [.. _lines.Keys.Except(expected)];
        foreach (string name in foreign)
            _lines.Remove(name);
        return foreign;
    }

    private static IEnumerable<string> Names(InputFiles? files) => files is null ? [] :
        files.Pictures.Select(picture => picture.Relative)
            .Concat(files.Bad.Select(bad => bad.Relative ?? bad.Path)).Select(InputFiles.NameOf).Distinct();

    private static string Few(IReadOnlyList<string> names) => string.Join(", ", names.Take(MostNamed))
        + (names.Count > MostNamed ? $" and {names.Count - MostNamed} more" : "");

    private static void Name(string what, string[] names)
    {
        if (names.Length > 0)
            Terminal.Message($"{what}: {Few(names)}");
    }

    private void Read(string path)
    {
        try
        {
            RegularFile.Require(path);
            // Not while a run writes it, which has it alone.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            long end = 0;
            var newest = new Dictionary<string, JournalLine>(StringComparer.Ordinal);
            foreach (JournalLine line in JournalFile.Read(stream, path, length => end = length))
                newest[line.Name] = line;
            if (end != stream.Position && !Quiet)
                Terminal.Message($"{path}: the last line is not whole, since its run was stopped; it is left out");
            // Of a picture that two files tell of, it counts that one of them did it.
            foreach (JournalLine line in newest.Values)
            {
                if (!_lines.TryGetValue(line.Name, out JournalLine? other) || line.IsDone || !other.IsDone)
                    _lines[line.Name] = line;
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(ExitCode.BadInput, $"{path}: there is no such file; check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"{path}: the file cannot be read ({e.Message.TrimEnd('.')}); while a run writes it, wait for its end.",
                e);
        }
    }

    /// <summary>Masks of two models, or of other options, are no one result.</summary>
    private bool IsOfSeveralRuns()
    {
        string[] runs = [.. _lines.Values.Where(line => line.IsDone).GroupBy(line => line.Run!)
            .OrderByDescending(run => run.Count())
            .Select(run => $"{run.Count()} (such as {run.First().Name}) of {run.Key[..Math.Min(8, run.Key.Length)]}")];
        if (runs.Length < 2)
            return false;
        Terminal.Message(
            $"the lines are of {runs.Length} different models or options: {Few(runs)}; run all parts "
            + "with the same ones and --skip-existing.");
        return true;
    }

    /// <summary>Of the number of parts that most lines tell: a run has one.</summary>
    private string[] EmptyShards()
    {
        IGrouping<string, string>? told = _lines.Values.Select(line => line.Shard).OfType<string>()
            .Select(shard => shard.Split('/'))
            .Where(parts => parts.Length == 2 && int.TryParse(parts[1], out int count) && count is > 0 and < 1_000_000)
            .GroupBy(parts => parts[1], parts => parts[0]).MaxBy(shards => shards.Count());
        return told is null ? [] :
        [
            .. Enumerable.Range(0, int.Parse(told.Key, null)).Select(index => $"{index}")
                .Except(told).Select(index => $"{index}/{told.Key}"),
        ];
    }

    private void Write(string? path, IEnumerable<string> lines) => OutputFile.Save(temporaries, path, stream =>
    {
        using var buffered = new BufferedStream(stream, 1 << 16);
        foreach (string line in lines)
            buffered.Write(Encoding.UTF8.GetBytes(line + "\n"));
    });
}
