using Atrous.Native;

namespace Atrous.Imaging;

/// <content>Pictures that are in memory already.</content>
public sealed unsafe partial class Image
{
    /// <summary>
    /// A picture of pixels that are in memory already. They are copied, and keep their format: nothing is converted.
    /// </summary>
    /// <param name="pixels">The bytes, row by row from the top; from the bottom where the stride is negative.</param>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of pixels in a row, at least 1.</param>
    /// <param name="format">The bytes of a pixel.</param>
    /// <param name="rowStride">
    /// The number of bytes from a row's start to the next row's; 0 where there are no gaps. Negative where the rows lie
    /// bottom-up, as in a Windows bitmap: then the last row of the picture comes first in memory.
    /// </param>
    /// <exception cref="ArgumentException">
    /// There are fewer or more bytes than that (the gap after the last row may be left out), or rows overlap.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">A side is below 1, or there are more than 2^31 bytes.</exception>
    public static Image FromPixels(
        ReadOnlySpan<byte> pixels, int height, int width, PixelFormat format = PixelFormat.Rgb, int rowStride = 0)
    {
        CheckSize(height, width, format.Channels());
        int row = width * format.Channels();
        long signed = StrideOf(rowStride, row), stride = Math.Abs(signed), least = stride * (height - 1) + row;
        if (pixels.Length < least || pixels.Length > stride * height)
        {
            throw new ArgumentException(
                $"{width} x {height} pixels of {format.Channels()} channels" +
                (rowStride == 0 ? "" : $" in rows that begin {stride} bytes apart") +
                $" are {stride * height} bytes, not {pixels.Length}.", nameof(pixels));
        }
        var image = new Image(height, width, format);
        for (int y = 0; y < height; y++)
        {
            int place = signed < 0 ? height - 1 - y : y;
            pixels.Slice((int)(place * stride), row).CopyTo(image.Row(y));
        }
        return image;
    }

    /// <summary>
    /// A picture of pixels that stay where they are: nothing is copied. They must not move, change or be freed while a
    /// network reads them. Only pixels whose row stride is negative are copied, and their owner is disposed at once.
    /// </summary>
    /// <param name="pixels">The address of the first row, which is the top one whatever the row stride.</param>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of pixels in a row, at least 1.</param>
    /// <param name="format">The bytes of a pixel.</param>
    /// <param name="rowStride">
    /// The number of bytes from a row's start to the next row's; 0 where there are no gaps. Negative where the next row
    /// lies before it in memory, as in a bitmap that is stored bottom-up.
    /// </param>
    /// <param name="owner">
    /// What holds the memory, such as an SKBitmap or a Mat. It is disposed with the picture, once no network reads it
    /// any more; null where the caller keeps the memory for as long as the picture.
    /// </param>
    /// <exception cref="ArgumentException">The address is null, or rows overlap.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A side is below 1, or there are more than 2^31 bytes.</exception>
    public static Image FromPixels(
        nint pixels, int height, int width, PixelFormat format, int rowStride, IDisposable? owner)
    {
        if (pixels == 0)
            throw new ArgumentException("There are no pixels at address 0.", nameof(pixels));
        int channels = format.Channels();
        CheckSize(height, width, channels);
        long stride = StrideOf(rowStride, width * channels);
        if (stride < 0)
        {
            var copy = new Image(height, width, format);
            for (int y = 0; y < height; y++)
                new ReadOnlySpan<byte>((byte*)pixels + y * stride, width * channels).CopyTo(copy.Row(y));
            owner?.Dispose();
            return copy;
        }
        return new Image(new PixelBuffer(
            new NativeImage
            {
                Pixels = (byte*)pixels,
                Height = height,
                Width = width,
                Channels = channels,
                RowStride = stride,
            },
            format, owner));
    }

    private static long StrideOf(int rowStride, int row)
    {
        if (rowStride != 0 && Math.Abs((long)rowStride) < row)
        {
            throw new ArgumentException(
                $"A row has {row} bytes, but the next begins {rowStride} after it.", nameof(rowStride));
        }
        return rowStride == 0 ? row : rowStride;
    }
}
