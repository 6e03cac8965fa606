using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>Pre-processing that several dialects share.</summary>
internal static class Normalisation
{
    /// <summary>A data set's own statistics, on RGB from 0 to 1.</summary>
    public static PreprocessingSpec Of(float[] mean, float[] std) =>
        PreprocessingSpec.ImageNet with { Mean = mean, Std = std };

    /// <summary>Bytes from 0 to 1 without statistics.</summary>
    public static PreprocessingSpec None(int channels) => PreprocessingSpec.ImageNet.Without(channels);

    /// <summary>
    /// ImageNet's statistics for three channels. For other counts no repository publishes any: bytes from 0 to 1, and
    /// the user's own statistics can be given with the options.
    /// </summary>
    public static PreprocessingSpec ImageNet(int channels) => PreprocessingSpec.ImageNet.For(channels);

    /// <summary>A dialect's own statistics for three channels, and no statistics for other counts, as above.</summary>
    public static PreprocessingSpec For(this PreprocessingSpec spec, int channels) =>
        channels == spec.Channels ? spec : spec.Without(channels);

    private static PreprocessingSpec Without(this PreprocessingSpec spec, int channels) => spec with
    {
        Mean = [.. Enumerable.Repeat(0f, channels)],
        Std = [.. Enumerable.Repeat(1f, channels)],
    };
}
