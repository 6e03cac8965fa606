using System.Net.Http.Headers;

namespace Atrous.Catalog;

/// <summary>
/// What has come of a file so far, under FILE.partial, and in FILE.partial.from which edition of which URL it is part
/// of: without that knowledge nothing can be added to it.
/// </summary>
internal sealed class PartialFile(string target, Uri url)
{
    private readonly string _from = target + ModelCache.PartialSuffix + ".from";

    public string Path { get; } = target + ModelCache.PartialSuffix;

    /// <summary>Bytes that a download can go on from; 0 where it has to start over.</summary>
    public long Length => Validator is not null && new FileInfo(Path) is { Exists: true } info ? info.Length : 0;

    /// <summary>The edition, as the header If-Range takes it; null where it is not known.</summary>
    public RangeConditionHeaderValue? Validator =>
        File.Exists(_from) && File.ReadAllLines(_from) is [var stored, var edition]
            && stored == ShownAddress.WithoutUser(url)
            && RangeConditionHeaderValue.TryParse(edition, out RangeConditionHeaderValue? validator) ? validator : null;

    /// <summary>Opens an empty file for an edition of which nothing is there yet.</summary>
    /// <param name="response">Says which edition it is.</param>
    public FileStream Start(HttpResponseMessage response)
    {
        File.Delete(_from);
        var stream = new FileStream(Path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        // A weak tag says that two editions mean the same, not that their bytes are the same.
        string? edition = response.Headers.ETag is { IsWeak: false } tag
            ? tag.Tag
            : response.Content.Headers.LastModified?.ToString("R");
        if (edition is not null)
            File.WriteAllLines(_from, [ShownAddress.WithoutUser(url), edition]);
        return stream;
    }

    /// <summary>Opens the file to add to it.</summary>
    public FileStream Continue() => new(Path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);

    /// <summary>The file is whole: it gets its name.</summary>
    public void Commit()
    {
        File.Move(Path, target, overwrite: true);
        File.Delete(_from);
    }

    public void Discard()
    {
        File.Delete(Path);
        File.Delete(_from);
    }
}
