using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>Pre-processing that several dialects share.</summary>
internal static class Normalisation
{
    /// <summary>
    /// ImageNet's statistics for three channels. For other counts no repository publishes any: bytes from 0 to 1, and the
    /// user's own statistics can be given with the options.
    /// </summary>
    public static PreprocessingSpec ImageNet(int channels) => channels == 3
        ? PreprocessingSpec.ImageNet
        : PreprocessingSpec.ImageNet with
        {
            Mean = [.. Enumerable.Repeat(0f, channels)],
            Std = [.. Enumerable.Repeat(1f, channels)],
        };
}
