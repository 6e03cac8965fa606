using Atrous.Cli.Output;

namespace Atrous.Cli.Options;

/// <summary>--list: pictures by their paths, one a line, as they are called below one folder or from here.</summary>
internal static class InputList
{
    private const int MaxBytes = 256 << 20, MaxLine = 10_000;

    /// <param name="list">The file of paths; blank lines do not count.</param>
    /// <param name="inputs">One folder that the paths begin in, or none for paths from the current folder.</param>
    /// <exception cref="CommandException">
    /// The list cannot be read, or there is something else than a folder.
    /// </exception>
    public static InputFiles Read(string list, IReadOnlyList<string> inputs)
    {
        if (list.Length == 0)
            throw CommandException.Usage("--list is empty; name a file.");
        if (inputs.Count > 1 || (inputs.Count == 1 && !Directory.Exists(inputs[0])))
            throw CommandException.Usage(
                $"--list names pictures below one folder, or from here; give one folder as INPUT, or none, not "
                + $"{string.Join(" ", inputs)}.");
        string[] lines = TextFile.ReadLines(list, "--list", "a list of pictures", MaxBytes, ExitCode.BadInput);
        string? folder = inputs.Count == 1 ? inputs[0] : null;
        var files = new InputFiles();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length > MaxLine)
            {
                throw new CommandException(
                    ExitCode.BadInput, $"{list}: line {i + 1} has {lines[i].Length} characters; no path has so many.");
            }
            if (!string.IsNullOrWhiteSpace(lines[i]) && seen.Add(lines[i]))
                Add(files, folder, lines[i], $"line {i + 1} of {list}");
        }
        return files.Pictures.Count + files.Bad.Count + files.Skipped.Count > 0
            ? files
            : throw new CommandException(ExitCode.BadInput, $"{list}: the list names no picture.");
    }

    private static void Add(InputFiles files, string? folder, string line, string where)
    {
        string start = Path.GetFullPath(folder ?? ".");
        string full = Path.GetFullPath(line, start), relative = Path.GetRelativePath(start, full);
        bool isBelow = !Path.IsPathRooted(relative) && relative != ".."
            && !relative.StartsWith($"..{Path.DirectorySeparatorChar}", StringComparison.Ordinal);
        if (folder is not null && !isBelow)
        {
            files.Refuse(new BadInput(line, $"{where} does not lie below {folder}.", line));
            return;
        }
        if (!isBelow)
            relative = full[Path.GetPathRoot(full)!.Length..];
        string path = folder is null ? line : Path.Combine(folder, relative);
        if (OutputNames.IsOutput(path))
            files.Skip(path);
        else if (File.Exists(path))
            files.Take(new InputFile(path, relative));
        else if (InputFiles.WhyNotSeen(path) is { } reason)
            files.Refuse(new BadInput(path, reason, relative) { MayPass = true });
        else
            files.Refuse(new BadInput(path, $"there is no such file, which {where} names; check the path.", relative));
    }
}
