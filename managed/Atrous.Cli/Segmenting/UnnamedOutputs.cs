using Atrous.Cli.Batches;
using Atrous.Cli.Output;
using Atrous.Formats;
using Atrous.Imaging;
using Atrous.Imaging.Maps;

namespace Atrous.Cli.Segmenting;

/// <summary>
/// What is there of a picture before its outputs have their names. It owns the photo and the unfinished outputs.
/// </summary>
internal sealed class UnnamedOutputs : IDisposable
{
    /// <summary>The SHA-256 of the picture's file; null where nobody asks.</summary>
    public string? Hash { get; init; }

    /// <summary>The record of an earlier run's mask, which stays; null where there is none.</summary>
    public MaskRecord? FromBefore { get; init; }

    /// <summary>The picture where it is read in bands; null where it is from before, or held whole.</summary>
    public IWindowSource? Bands { get; set; }

    /// <summary>The picture; null where it is from before, or read in bands.</summary>
    public Image? Photo { get; set; }

    public Segmentation? Mask { get; set; }

    /// <summary>What is told of the mask; null where that is.</summary>
    public MaskFacts? Facts { get; set; }

    /// <summary>The picture as formats see it.</summary>
    public AnnotatedPicture? Annotated { get; set; }

    /// <summary>The outputs under temporary names, the mask last: where it is, all others are.</summary>
    public List<OutputFile> Files { get; } = [];

    /// <summary>What the mask says of itself; null for nothing.</summary>
    public MaskRecord? Record { get; set; }

    /// <summary>A sentence about the picture's file; null for nothing.</summary>
    public string? Warning { get; set; }

    /// <summary>Of a map, what the file says of its place.</summary>
    public GeoTags? Tags { get; set; }

    /// <summary>Of a map, where its pixels lie; null where that is not known.</summary>
    public GeoReference? Place { get; set; }

    public TimeSpan Decode { get; set; }

    public TimeSpan Encode { get; set; }

    public void Dispose()
    {
        Bands?.Dispose();
        Photo?.Dispose();
        Files.ForEach(file => file.Dispose());
    }
}
