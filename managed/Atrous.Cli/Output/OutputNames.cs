using Atrous.Formats;

namespace Atrous.Cli.Output;

/// <summary>How the outputs of a picture end, so that a later run does not take them for pictures.</summary>
internal static class OutputNames
{
    public const string Mask = ".mask.png", TiffMask = ".mask.tif", Overlay = ".overlay.png";

    private static readonly string[] All =
    [
        Mask, TiffMask, Overlay, .. VideoNames.Outputs,
        .. OutputFormats.OfPicture.Select(format => format.Suffix).Where(suffix => suffix.LastIndexOf('.') > 0),
    ];

    /// <summary>Whether a file is written as a TIFF.</summary>
    public static bool IsTiff(string path) => Path.GetExtension(path).ToLowerInvariant() is ".tif" or ".tiff";

    /// <summary>The path of a mask, or of another output, without what is put behind the picture's name.</summary>
    public static string StemOf(string path) =>
        Array.Find([Mask, TiffMask], end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase)) is { } end
            ? path[..^end.Length]
            : Path.ChangeExtension(path, null);

    /// <summary>Whether a file has the name of an earlier run's output.</summary>
    public static bool IsOutput(string path) =>
        Array.Exists(All, name => path.EndsWith(name, StringComparison.OrdinalIgnoreCase));
}
