namespace Atrous.Imaging;

/// <summary>Parts and mirror images of pictures.</summary>
public static class ImageGeometry
{
    /// <summary>A new picture of a rectangle of this one. The caller disposes it.</summary>
    /// <param name="image">The picture, which is not changed.</param>
    /// <param name="top">The rectangle's first row, counted from 0.</param>
    /// <param name="left">The rectangle's first column, counted from 0.</param>
    /// <param name="height">The rectangle's number of rows, at least 1.</param>
    /// <param name="width">The rectangle's number of columns, at least 1.</param>
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
        var part = new Image(height, width, image.Format);
        int channels = image.Channels;
        for (int y = 0; y < height; y++)
            image.Row(top + y).Slice(left * channels, width * channels).CopyTo(part.Row(y));
        part.Lower = image.Lower?.Crop(top, left, height, width);
        return part;
    }

    /// <summary>A new picture with left and right exchanged. The caller disposes it.</summary>
    public static Image Mirrored(this Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var mirrored = new Image(image.Height, image.Width, image.Format);
        int channels = image.Channels;
        for (int y = 0; y < image.Height; y++)
        {
            ReadOnlySpan<byte> from = image.Row(y);
            Span<byte> to = mirrored.Row(y);
            for (int x = 0; x < from.Length; x += channels)
                from.Slice(x, channels).CopyTo(to[(from.Length - channels - x)..]);
        }
        mirrored.Lower = image.Lower?.Mirrored();
        return mirrored;
    }
}
