using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>Formats that are pictures.</summary>
internal static class DrawnPicture
{
    /// <summary>The classes' colours as an RGB PNG; black where there are no data.</summary>
    public static void WriteColours(Stream stream, AnnotatedPicture picture)
    {
        using var black = new Image(picture.Height, picture.Width, PixelFormat.Grey);
        using Image colours = Overlay.Draw(
            black, picture.Mask.Labels, picture.Palette, opacity: 1, clearLabel: null, picture.Mask.NoDataLabel);
        colours.SavePng(stream);
    }

    /// <summary>The overlay, and beside it names, colours and shares.</summary>
    public static void WriteLegend(Stream stream, AnnotatedPicture picture) => WriteFigure(stream, picture, new());

    /// <summary>The photo with lines around the classes, and the legend.</summary>
    public static void WriteOutlines(Stream stream, AnnotatedPicture picture) =>
        WriteFigure(stream, picture, new() { Outlines = true });

    /// <summary>The photo, the overlay and the legend.</summary>
    public static void WriteSideBySide(Stream stream, AnnotatedPicture picture) =>
        WriteFigure(stream, picture, new() { SideBySide = true });

    /// <summary>The photo, transparent where no wanted region is.</summary>
    public static void WriteCutout(Stream stream, AnnotatedPicture picture)
    {
        bool[] kept = Kept(picture);
        // At no opacity an overlay is the photo in three channels, whatever it had.
        using Image photo = picture.Mask.Overlay(picture.Photo, opacity: 0, picture.Palette);
        var pixels = new byte[picture.Height * picture.Width * 4];
        for (int y = 0, at = 0; y < picture.Height; y++)
        {
            ReadOnlySpan<byte> row = photo.Row(y);
            for (int x = 0; x < picture.Width; x++, at++)
            {
                if (!kept[at])
                    continue;
                row.Slice(3 * x, 3).CopyTo(pixels.AsSpan(4 * at));
                pixels[4 * at + 3] = byte.MaxValue;
            }
        }
        using Image cutout = Image.FromPixels(pixels, picture.Height, picture.Width, PixelFormat.Rgba);
        cutout.SavePng(stream);
    }

    /// <summary>The confidence of every pixel as a grey PNG of 16 bits: 65535 is certain.</summary>
    public static void WriteConfidence(Stream stream, AnnotatedPicture picture)
    {
        var grey = new ushort[picture.Height * picture.Width];
        ReadOnlySpan<float> confidence = picture.Mask.Confidence;
        for (int i = 0; i < grey.Length; i++)
            grey[i] = (ushort)MathF.Round(confidence[i] * ushort.MaxValue);
        // More classes than a byte can tell apart are written so.
        Segmentation.FromLabels(grey, picture.Height, picture.Width, ushort.MaxValue + 1).SaveMask(stream);
    }

    /// <summary>The confidence of every pixel as a grey PNG of 8 bits: 255 is certain.</summary>
    public static void WriteConfidence8(Stream stream, AnnotatedPicture picture)
    {
        using var grey = new Image(picture.Height, picture.Width, PixelFormat.Grey);
        ReadOnlySpan<float> confidence = picture.Mask.Confidence;
        Span<byte> pixels = grey.Pixels;
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)MathF.Round(confidence[i] * byte.MaxValue);
        grey.SavePng(stream);
    }

    private static void WriteFigure(Stream stream, AnnotatedPicture picture, FigureOptions options)
    {
        using Image figure = picture.Mask.Figure(
            picture.Photo, options with { Palette = picture.Palette, Opacity = picture.Opacity });
        figure.SavePng(stream);
    }

    private static bool[] Kept(AnnotatedPicture picture)
    {
        var kept = new bool[picture.Height * picture.Width];
        if (picture.Wanted is { MinArea: 1, Simplify: 0 } && !picture.Mask.IsMultiLabel)
        {
            ReadOnlySpan<ushort> labels = picture.Mask.Labels;
            for (int i = 0; i < kept.Length; i++)
            {
                kept[i] = labels[i] != picture.Mask.NoDataLabel
                    && picture.Wanted.Labels?.Contains(labels[i]) != false;
            }
            return kept;
        }
        foreach ((int x, int top, int bottom) in picture.Regions.SelectMany(RegionRuns.Columns))
        {
            for (int y = top; y < bottom; y++)
                kept[y * picture.Width + x] = true;
        }
        return kept;
    }
}
