namespace Atrous.Cli.Evaluating;

/// <summary>How a data set names its files.</summary>
internal sealed record LabelLayout
{
    /// <summary>How label maps' names end unless it is said otherwise: the first that files have.</summary>
    public static readonly string[] Endings = [".png", ".tif", ".tiff", ".bmp", ".gif"];

    /// <summary>What the label map's name has another end for; null for the picture's extension.</summary>
    public string? ImageSuffix { get; init; }

    /// <summary>How the label map's name ends.</summary>
    public required string LabelSuffix { get; init; }

    /// <summary>A file that names the pictures to score, one a line; null for all of the folder.</summary>
    public string? List { get; init; }

    /// <summary>Pictures without a label map are counted, not refused.</summary>
    public bool LeavesUnlabelled { get; init; }
}
