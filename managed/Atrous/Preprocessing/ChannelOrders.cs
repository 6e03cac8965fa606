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

    private static int[]? RedFirst(PreprocessingSpec spec, int channels) => (channels, spec.Channels) switch
    {
        (1 or 2, 1) => [0],
        (1 or 2, 3) => [0, 0, 0],
        (3 or 4, 3) => spec.Order == ChannelOrder.Bgr ? [2, 1, 0] : [0, 1, 2],
        (3 or 4, 1) => null,
        (2, 2) => [0, 1],
        (4, 4) => [0, 1, 2, 3],
        _ => throw new ImageException(
            $"The picture has {channels} channels and the network takes {spec.Channels}; " +
            (spec.Channels == 4
                ? "send its four bands as an RGBA PNG."
                : $"send a picture of {spec.Channels} channels.")),
    };
}
