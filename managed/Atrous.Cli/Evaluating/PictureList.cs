using Atrous.Cli.Options;

namespace Atrous.Cli.Evaluating;

/// <summary>
/// --list: the pictures to score, one a line, as data sets' split files have them. A name may have its folders, of
/// which the first may be those of the folder that is searched, and its ending, or not; a second word on the line is
/// the label map's.
/// </summary>
internal static class PictureList
{
    private const int MaxBytes = 256 << 20, MaxLine = 10_000;

    /// <summary>The names and the lines that they stand on.</summary>
    /// <exception cref="CommandException">The file cannot be read or names nothing.</exception>
    public static IReadOnlyList<(int Line, string Picture, string? Labels)> Read(string path)
    {
        string[] lines = TextFile.ReadLines(path, "--list", "a list of pictures", MaxBytes, ExitCode.BadInput);
        var names = new List<(int, string, string?)>();
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length > MaxLine)
            {
                throw new CommandException(
                    ExitCode.BadInput, $"{path}: line {i + 1} has {lines[i].Length} characters; no path has so many.");
            }
            string line = lines[i].Trim().Replace('\\', '/');
            if (line.Length == 0)
                continue;
            string[] words = line.Split([' ', '\t', ','], 2, StringSplitOptions.RemoveEmptyEntries);
            // A name may have spaces; a second word that is a file's name is the label map's.
            bool pair = words.Length == 2 && !words[1].Contains(' ') && Path.GetExtension(words[1]).Length > 1
                && Path.GetExtension(words[0]).Length > 1;
            names.Add(pair ? (i + 1, words[0], words[1].Trim()) : (i + 1, line, null));
        }
        return names.Count > 0
            ? names
            : throw new CommandException(ExitCode.BadInput, $"{path}: the list names no picture.");
    }

    /// <summary>
    /// The key of a listed name: itself, or without its first folders, or the one file of this name in any folder.
    /// </summary>
    /// <param name="name">As it stands in the list.</param>
    /// <param name="suffix">How the files' names end, which the keys lack; null for an extension.</param>
    /// <param name="keys">Paths below the folder, without the suffix.</param>
    /// <param name="byName">The keys by their last part.</param>
    /// <returns>Null where there is no such file, or more than one.</returns>
    public static string? Find(
        string name, string? suffix, IReadOnlySet<string> keys, ILookup<string, string> byName)
    {
        string key = WithoutSuffix(name.TrimStart('/'), suffix);
        for (string rest = key; rest.Length > 0;)
        {
            if (keys.Contains(rest))
                return rest;
            int slash = rest.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0)
                break;
            rest = rest[(slash + 1)..];
        }
        return !key.Contains('/') && byName[key].Take(2).ToArray() is [var only] ? only : null;
    }

    /// <summary>"city/a_leftImg8bit.png" is "city/a"; a name that ends otherwise loses its extension.</summary>
    public static string WithoutSuffix(string name, string? suffix)
    {
        if (suffix is not null && name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            return name[..^suffix.Length];
        if (suffix is not null && Path.ChangeExtension(suffix, null) is { Length: > 0 } stem
            && name.EndsWith(stem, StringComparison.OrdinalIgnoreCase))
            return name[..^stem.Length];
        return InputFiles.IsPicture(name) ? Path.ChangeExtension(name, null) : name;
    }
}
