namespace Atrous.Imaging;

/// <summary>The bytes of one pixel, in the order in which they lie in memory.</summary>
public enum PixelFormat
{
    /// <summary>One byte: grey.</summary>
    Grey,

    /// <summary>Two bytes: grey, alpha.</summary>
    GreyAlpha,

    /// <summary>Three bytes: red, green, blue.</summary>
    Rgb,

    /// <summary>Three bytes: blue, green, red, as OpenCV and Windows bitmaps have them.</summary>
    Bgr,

    /// <summary>Four bytes: red, green, blue, alpha; or any four bands for a network that takes four.</summary>
    Rgba,

    /// <summary>Four bytes: blue, green, red, alpha, as SkiaSharp and Windows bitmaps have them.</summary>
    Bgra,
}

internal static class PixelFormats
{
    /// <summary>The format of so many channels where red comes first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not 1 to 4 channels.</exception>
    public static PixelFormat Of(int channels) => channels switch
    {
        1 => PixelFormat.Grey,
        2 => PixelFormat.GreyAlpha,
        3 => PixelFormat.Rgb,
        4 => PixelFormat.Rgba,
        _ => throw new ArgumentOutOfRangeException(
            nameof(channels), channels, "A picture has 1 to 4 channels: grey, grey and alpha, RGB, or RGBA."),
    };

    /// <summary>Bytes of a pixel.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such format.</exception>
    public static int Channels(this PixelFormat format) => format switch
    {
        PixelFormat.Grey => 1,
        PixelFormat.GreyAlpha => 2,
        PixelFormat.Rgb or PixelFormat.Bgr => 3,
        PixelFormat.Rgba or PixelFormat.Bgra => 4,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "There is no such pixel format."),
    };

    public static bool IsBlueFirst(this PixelFormat format) => format is PixelFormat.Bgr or PixelFormat.Bgra;

    /// <summary>Where a channel of the red-first order lies in a pixel of this format.</summary>
    public static int IndexOf(this PixelFormat format, int channel) =>
        format.IsBlueFirst() && channel < 3 ? 2 - channel : channel;
}
