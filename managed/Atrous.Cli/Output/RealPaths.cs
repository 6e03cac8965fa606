namespace Atrous.Cli.Output;

/// <summary>Where paths lead when all links in them are followed, those of folders too.</summary>
internal sealed class RealPaths
{
    /// <summary>More links than a system follows.</summary>
    private const int MostLinks = 40;

    /// <summary>Of the folders that were met, which many files share.</summary>
    private readonly Dictionary<string, string> _folders = new(StringComparer.Ordinal);

    /// <summary>The same for every spelling of a file, which need not be there.</summary>
    /// <param name="path">A path as the user gave it.</param>
    /// <exception cref="CommandException">Its links lead in a circle.</exception>
    public string Of(string path)
    {
        int links = 0;
        return Follow(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

        string Follow(string full)
        {
            if (Path.GetDirectoryName(full) is not { } folder)
                return full;
            if (!_folders.TryGetValue(folder, out string? real))
                _folders[folder] = real = Follow(folder);
            string here = Path.Combine(real, Path.GetFileName(full));
            if (new FileInfo(here).LinkTarget is not { } target)
                return here;
            if (++links > MostLinks)
                throw CommandException.Usage($"{path}: the links in it lead in a circle; check the path.");
            return Follow(Path.GetFullPath(target, Path.GetDirectoryName(here)!));
        }
    }
}
