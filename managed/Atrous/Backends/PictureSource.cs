using System.Runtime.InteropServices;

namespace Atrous.Backends;

/// <summary>How a device resizes pictures; the numbers are those of atrous_filter.</summary>
internal enum PictureFilter
{
    /// <summary>A triangle that widens when shrinking, so that nothing aliases.</summary>
    Bilinear = 0,

    /// <summary>Cubic with a = -0.5, which widens when shrinking as well.</summary>
    Bicubic = 1,

    /// <summary>Two taps whatever the scale: bilinear without antialiasing.</summary>
    BilinearPlain = 3,
}

/// <summary>
/// How one channel of the network's input is made, (byte x scale - mean) / std: <c>channel_map</c> in
/// native/cuda/picture_input.cu.
/// </summary>
/// <param name="Mean">Is subtracted from the scaled byte.</param>
/// <param name="Std">What the difference is divided by; positive.</param>
/// <param name="Fill">The byte value around the picture.</param>
/// <param name="Source">The picture's channel that this one is made of.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PictureChannel(float Mean, float Std, float Fill, int Source);

/// <summary>Where the pixels of a picture lie.</summary>
/// <param name="First">The address of the first row.</param>
/// <param name="Stride">The number of bytes from a row's start to the next row's.</param>
internal readonly record struct PictureRows(nint First, long Stride);

/// <summary>What a batch of pictures of bytes becomes before the network sees it.</summary>
/// <param name="Height">The number of rows of every picture.</param>
/// <param name="Width">The number of columns of every picture.</param>
/// <param name="Channels">The number of bytes of a pixel.</param>
/// <param name="Filter">How the picture is resized.</param>
/// <param name="Top">The first row of the resized picture in the network's input.</param>
/// <param name="Left">The first column of the resized picture in the network's input.</param>
/// <param name="ResizedHeight">The number of rows that it is resized to.</param>
/// <param name="ResizedWidth">The number of columns that it is resized to.</param>
/// <param name="Scale">The factor on the byte.</param>
/// <param name="Maps">How each channel of the network's input is made.</param>
internal sealed record PictureSource(
    int Height, int Width, int Channels, PictureFilter Filter, int Top, int Left, int ResizedHeight, int ResizedWidth,
    float Scale, PictureChannel[] Maps)
{
    /// <summary>Pictures come from the device's memory, and what is made of them stays there.</summary>
    public bool StaysOnDevice { get; init; }

    /// <summary>Bytes of one picture.</summary>
    public long Bytes => (long)Height * Width * Channels;

    /// <summary>Copies a picture's rows, one behind the other without gaps.</summary>
    public unsafe void Pack(PictureRows rows, Span<byte> destination)
    {
        int row = Width * Channels;
        if (rows.Stride == row)
        {
            new ReadOnlySpan<byte>((byte*)rows.First, destination.Length).CopyTo(destination);
            return;
        }
        for (int y = 0; y < Height; y++)
            new ReadOnlySpan<byte>((byte*)rows.First + y * rows.Stride, row).CopyTo(destination[(y * row)..]);
    }
}
