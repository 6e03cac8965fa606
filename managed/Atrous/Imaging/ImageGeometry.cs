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
        if (image.Samples is { } samples)
        {
            int bands = image.Bands;
            part.Samples = new float[height * width * bands];
            for (int y = 0; y < height; y++)
            {
                samples.AsSpan(((top + y) * image.Width + left) * bands, width * bands)
                    .CopyTo(part.Samples.AsSpan(y * width * bands));
            }
        }
        return part;
    }

    /// <summary>A new picture with left and right exchanged. The caller disposes it.</summary>
    /// <param name="image">The picture, which stays as it is.</param>
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
        if (image.Samples is { } samples)
        {
            int bands = image.Bands, row = image.Width * bands;
            mirrored.Samples = new float[samples.Length];
            for (int at = 0; at < samples.Length; at += bands)
            {
                int within = at % row;
                samples.AsSpan(at, bands).CopyTo(mirrored.Samples.AsSpan(at - within + row - bands - within));
            }
        }
        return mirrored;
    }
}
