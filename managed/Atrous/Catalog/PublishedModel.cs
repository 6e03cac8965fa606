using System.Text.Json.Serialization;

namespace Atrous.Catalog;

/// <summary>A published checkpoint that Atrous reads: where it is, and what its publisher says of it.</summary>
public sealed record PublishedModel
{
    /// <summary>The name that <see cref="ModelPath"/> and <see cref="PublishedModels.Find"/> take.</summary>
    public required string Name { get; init; }

    /// <summary>Whose conventions it follows, as <see cref="SegmenterOptions.Dialect"/> names them.</summary>
    public required string Dialect { get; init; }

    /// <summary>Classes that it scores, the background included.</summary>
    public required int Classes { get; init; }

    /// <summary>Under which its publisher offers it.</summary>
    public required string Licence { get; init; }

    /// <summary>What it was trained on last.</summary>
    public required string Data { get; init; }

    /// <summary>Mean intersection over union from 0 to 1, as published; null where it is not.</summary>
    [JsonPropertyName("mIoU")]
    public double? MeanIoU { get; init; }

    /// <summary>What <see cref="MeanIoU"/> was measured on.</summary>
    public string? MeasuredOn { get; init; }

    /// <summary>Where these facts come from.</summary>
    public required string Source { get; init; }

    /// <summary>One file, or the files of a folder with config.json.</summary>
    public required IReadOnlyList<CatalogFile> Files { get; init; }

    /// <summary>Bytes of all files; null where some size is not known.</summary>
    [JsonIgnore]
    public long? Size => Files.All(file => file.Size is not null) ? Files.Sum(file => file.Size) : null;
}

/// <summary>A file to fetch.</summary>
/// <param name="Url">Its last part is the file's name.</param>
public sealed record CatalogFile(Uri Url)
{
    /// <summary>
    /// Bytes; null where the publisher does not say. More than that are not fetched; whether they are the right ones
    /// is decided by <see cref="Sha256"/>.
    /// </summary>
    public long? Size { get; init; }

    /// <summary>
    /// The SHA-256 in hexadecimal digits, or at least its first 8 (the habit of file names); null where none is
    /// published.
    /// </summary>
    public string? Sha256 { get; init; }

    /// <summary>As it is called on disk: the last part of the address; empty where the address has no path.</summary>
    [JsonIgnore]
    public string FileName => Url.Segments is [.., var last] ? last : "";
}
