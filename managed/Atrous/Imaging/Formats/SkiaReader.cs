using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SkiaSharp;

namespace Atrous.Imaging.Formats;

/// <summary>Files that Skia decodes. Colours are taken as they stand in the file: no profile is applied.</summary>
internal static unsafe class SkiaReader
{
    private const int Rgba = 4;

    /// <summary>
    /// A picture without alpha, row by row, so that what Skia has no format for, RGB of three bytes, needs no second
    /// picture. Null where Skia cannot read it to its end.
    /// </summary>
    public static Image? DecodeRows(FileBytes file, int height, int width, int channels)
    {
        using SKData bytes = SKData.Create((nint)file.Start, (int)file.Length);
        using SKCodec? codec = SKCodec.Create(bytes);
        if (codec is null || codec.Info.Height != height || codec.Info.Width != width)
            return null;
        SKColorType colour = channels == 1 ? SKColorType.Gray8 : SKColorType.Rgba8888;
        var rows = new SKImageInfo(width, height, colour, SKAlphaType.Opaque);
        if (codec.StartScanlineDecode(rows) != SKCodecResult.Success)
            return null;
        var image = new Image(height, width, channels);
        if (ReadRows(codec, image))
            return image;
        image.Dispose();
        return null;
    }

    private static bool ReadRows(SKCodec codec, Image image)
    {
        int width = image.Width;
        if (image.Channels == 1)
        {
            fixed (byte* pixels = image.Pixels)
                return codec.GetScanlines((nint)pixels, image.Height, width) == image.Height;
        }
        // As many rows at once as stay in the nearest cache but one.
        const int cached = 1 << 17;
        int most = Math.Clamp(cached / (width * Rgba), 1, image.Height);
        byte[] strip = GC.AllocateUninitializedArray<byte>(most * width * Rgba);
        fixed (byte* pixels = strip)
        {
            for (int top = 0; top < image.Height; top += most)
            {
                int count = Math.Min(most, image.Height - top);
                if (codec.GetScanlines((nint)pixels, count, width * Rgba) != count)
                    return false;
                DropAlpha(
                    strip.AsSpan(0, count * width * Rgba),
                    image.Pixels.Slice(top * image.RowStride, count * image.RowStride));
            }
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DropAlpha(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        const int group = 4;
        Vector128<byte> order = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        for (; rgb.Length >= Vector128<byte>.Count; rgba = rgba[(group * Rgba)..], rgb = rgb[(group * 3)..])
            Vector128.Shuffle(Vector128.Create<byte>(rgba), order).CopyTo(rgb);
        for (; rgb.Length > 0; rgba = rgba[Rgba..], rgb = rgb[3..])
            (rgb[0], rgb[1], rgb[2]) = (rgba[0], rgba[1], rgba[2]);
    }
}
