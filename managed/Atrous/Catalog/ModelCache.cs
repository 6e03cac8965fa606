namespace Atrous.Catalog;

/// <summary>How much of a model is in the cache.</summary>
public enum PullState
{
    /// <summary>Nothing.</summary>
    Absent,

    /// <summary>A pull was interrupted; the next one goes on there.</summary>
    Partial,

    /// <summary>All of it.</summary>
    Pulled,
}

/// <summary>
/// The folder of pulled models: FOLDER/NAME/FILE. A file is there whole or not at all; what has come of it so far is
/// FILE.partial.
/// </summary>
/// <param name="folder">The folder of all models, which need not exist.</param>
public sealed class ModelCache(string folder)
{
    /// <summary>Names Atrous's own folder in place of the platform's.</summary>
    public const string Variable = "ATROUS_HOME";

    /// <summary>Of a file that is not whole.</summary>
    internal const string PartialSuffix = ".partial";

    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>
    /// The user's: `models` in <see cref="Variable"/>, else in the folder `atrous` of XDG_CACHE_HOME or ~/.cache
    /// (Linux), ~/Library/Caches (macOS), %LOCALAPPDATA% (Windows).
    /// </summary>
    /// <exception cref="OutputException">There is no home folder.</exception>
    public static ModelCache Default() => new(Path.Combine(Home(Environment.GetEnvironmentVariable), "models"));

    /// <summary>
    /// A folder beside the user's models, for what can be made again; null where there is no home folder.
    /// </summary>
    internal static string? FolderBeside(string name)
    {
        try
        {
            return Path.Combine(Home(Environment.GetEnvironmentVariable), name);
        }
        catch (OutputException)
        {
            return null;
        }
    }

    /// <summary>
    /// The file of a model of one file, the folder of others: what
    /// <see cref="Segmenter.Load(string, SegmenterOptions?)"/> takes.
    /// </summary>
    /// <param name="entry">The published model, as the catalog describes it.</param>
    public string PathOf(PublishedModel entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Files.Count == 1 ? PathOf(entry, entry.Files[0]) : FolderOf(entry);
    }

    /// <summary>Where a file of a model is, or would be.</summary>
    /// <param name="entry">The published model, as the catalog describes it.</param>
    /// <param name="file">The one of the model's files whose path is asked for.</param>
    public string PathOf(PublishedModel entry, CatalogFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return Path.Combine(FolderOf(entry), file.FileName);
    }

    /// <summary>What is there, by the files' names.</summary>
    /// <param name="entry">The published model, as the catalog describes it.</param>
    public PullState StateOf(PublishedModel entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Files.All(file => File.Exists(PathOf(entry, file))) ? PullState.Pulled
            : BytesOf(entry) > 0 ? PullState.Partial
            : PullState.Absent;
    }

    /// <summary>Bytes that need not be fetched again.</summary>
    /// <param name="entry">The published model, as the catalog describes it.</param>
    public long BytesOf(PublishedModel entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Files.Sum(file => new FileInfo(PathOf(entry, file)) is { Exists: true } info ? info.Length
            : new PartialFile(PathOf(entry, file), file.Url).Length);
    }

    /// <summary>Atrous's own folder, by these environment variables.</summary>
    internal static string Home(Func<string, string?> variable)
    {
        if (variable(Variable) is { Length: > 0 } home)
            return home;
        string? platform = OperatingSystem.IsWindows() ? variable("LOCALAPPDATA")
            : variable("HOME") is not { Length: > 0 } user ? null
            : OperatingSystem.IsMacOS() ? Path.Combine(user, "Library", "Caches")
            : Path.Combine(user, ".cache");
        // The XDG base directory specification has relative paths ignored.
        if (!OperatingSystem.IsWindows() && !OperatingSystem.IsMacOS() && variable("XDG_CACHE_HOME") is { } cache
            && Path.IsPathRooted(cache))
            platform = cache;
        return platform is { Length: > 0 } ? Path.Combine(platform, "atrous")
            : throw new OutputException($"There is no home folder to keep models in; set {Variable} to a folder.");
    }

    private string FolderOf(PublishedModel entry) => Path.Combine(Folder, entry.Name);
}
