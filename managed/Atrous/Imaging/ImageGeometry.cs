namespace Atrous.Imaging;

/// <summary>Parts and mirror images of pictures.</summary>
public static class ImageGeometry
{
    /// <summary>A new picture of a rectangle of this one. The caller disposes it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The rectangle is empty, or does not lie within the picture.
    /// </exception>
    public static Image Crop(this Image image, int top, int left, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfNegative(top);
        ArgumentOutOfRangeException.ThrowIfNegative(left);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, image.Height - top);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, image.Width - left);
        var part = new Image(width, height, image.Channels);
        ReadOnlySpan<byte> from = image.Pixels;
        Span<byte> to = part.Pixels;
        int row = width * image.Channels;
        for (int y = 0; y < height; y++)
            from.Slice(((top + y) * image.Width + left) * image.Channels, row).CopyTo(to[(y * row)..]);
        return part;
    }

    /// <summary>A new picture with left and right exchanged. The caller disposes it.</summary>
    public static Image Mirrored(this Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var mirrored = new Image(image.Width, image.Height, image.Channels);
        ReadOnlySpan<byte> from = image.Pixels;
        Span<byte> to = mirrored.Pixels;
        int channels = image.Channels, row = image.Width * channels;
        for (int start = 0; start < from.Length; start += row)
        {
            for (int x = 0; x < row; x += channels)
                from.Slice(start + x, channels).CopyTo(to[(start + row - channels - x)..]);
        }
        return mirrored;
    }
}
