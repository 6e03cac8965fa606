namespace Atrous.Cli.Videos;

/// <summary>Where a path leads when all links in it are followed, those of folders too.</summary>
internal static class RealPath
{
    /// <summary>More links than a system follows.</summary>
    private const int MostLinks = 40;

    /// <summary>The same for every spelling of a file, which need not be there.</summary>
    /// <param name="path">A path as the user gave it.</param>
    /// <exception cref="CommandException">Its links lead in a circle.</exception>
    public static string Of(string path)
    {
        int links = 0;
        return Follow(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

        string Follow(string full)
        {
            if (Path.GetDirectoryName(full) is not { } folder)
                return full;
            string here = Path.Combine(Follow(folder), Path.GetFileName(full));
            if (new FileInfo(here).LinkTarget is not { } target)
                return here;
            if (++links > MostLinks)
                throw CommandException.Usage($"{path}: the links in it lead in a circle; check the path.");
            return Follow(Path.GetFullPath(target, Path.GetDirectoryName(here)!));
        }
    }
}
