using Atrous.Imaging;
using Atrous.Specs;

namespace Atrous.Preprocessing;

/// <summary>Which channel of a picture each channel of the network's input reads.</summary>
internal static class ChannelOrders
{
    /// <summary>The order for a picture of this format, or null when the picture must become grey first.</summary>
    /// <exception cref="ImageException">Such a picture does not suit the network.</exception>
    public static int[]? For(PreprocessingSpec spec, PixelFormat format)
    {
        int[]? order = RedFirst(spec, format.Channels());
        return order is null ? null : [.. order.Select(channel => format.IndexOf(channel))];
    }

    /// <summary>The order for a picture, or null when it must become grey first.</summary>
    /// <exception cref="ImageException">The picture does not suit the network.</exception>
    public static int[]? For(PreprocessingSpec spec, Image picture) =>
        picture.Samples is null ? For(spec, picture.Format) : RedFirst(spec, picture.Bands);

    /// <summary>
    /// What each channel of a picture has to be for the network to see nothing, as a byte's value: its mean.
    /// </summary>
    public static float[] Nothing(PreprocessingSpec spec, int channels)
    {
        float[] means = [.. spec.Mean.Select(mean => mean / spec.Scale)];
        float[] nothing = new float[channels];
        if (channels == 1 || RedFirst(spec, channels) is not { } order)
        {
            Array.Fill(nothing, means.Average());
            return nothing;
        }
        for (int c = 0; c < order.Length; c++)
            nothing[order[c]] = means[c];
        return nothing;
    }

    private static int[]? RedFirst(PreprocessingSpec spec, int channels) => (channels, spec.Channels) switch
    {
        (1 or 2, 1) => [0],
        (1 or 2, 3) => [0, 0, 0],
        (3 or 4, 3) => spec.Order == ChannelOrder.Bgr ? [2, 1, 0] : [0, 1, 2],
        (3 or 4, 1) => null,
        (2, 2) => [0, 1],
        (4, 4) => [0, 1, 2, 3],
        var (bands, wanted) when bands == wanted => [.. Enumerable.Range(0, wanted)],
        _ => throw new ImageException(
            $"The picture has {channels} channels and the network takes {spec.Channels}; " +
            (spec.Channels switch
            {
                4 => "send its four bands as an RGBA PNG or as a TIFF.",
                > 4 => $"send its {spec.Channels} bands as a TIFF.",
                _ => $"send a picture of {spec.Channels} channels.",
            })),
    };
}
