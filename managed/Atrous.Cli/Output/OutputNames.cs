namespace Atrous.Cli.Output;

/// <summary>How the outputs of a picture end, so that a later run does not take them for pictures.</summary>
internal static class OutputNames
{
    public const string Mask = ".mask.png", Overlay = ".overlay.png";

    /// <summary>Whether a file has the name of an earlier run's output.</summary>
    public static bool IsOutput(string path) =>
        path.EndsWith(Mask, StringComparison.OrdinalIgnoreCase)
        || path.EndsWith(Overlay, StringComparison.OrdinalIgnoreCase);
}
