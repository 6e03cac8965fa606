namespace Atrous.Cli.Output;

/// <summary>How the outputs of a picture end, so that a later run does not take them for pictures.</summary>
internal static class OutputNames
{
    public const string Mask = ".mask.png", Overlay = ".overlay.png", Colours = ".rgb.png", Cutout = ".cutout.png",
        Confidence = ".confidence.png";

    private static readonly string[] All = [Mask, Overlay, Colours, Cutout, Confidence];

    /// <summary>Whether a file has the name of an earlier run's output.</summary>
    public static bool IsOutput(string path) =>
        Array.Exists(All, name => path.EndsWith(name, StringComparison.OrdinalIgnoreCase));
}
