using System.Globalization;
using Atrous.Imaging;
using Atrous.Postprocessing;
using SkiaSharp;

namespace Atrous;

/// <summary>A mask and what it says, as a picture for people.</summary>
internal static class MaskFigure
{
    private const int MostRows = 30;

    /// <exception cref="ArgumentException">The picture has another size than the mask.</exception>
    public static Image Draw(Segmentation mask, Image photo, FigureOptions options)
    {
        Palette palette = options.Palette ?? mask.Palette;
        using Image drawn = options.Outlines
            ? MaskOutlines.Draw(photo, mask.Labels, palette, mask.Background, mask.NoDataLabel)
            : mask.Overlay(photo, options.Opacity, palette);
        if (options is { Legend: false, SideBySide: false })
            return drawn.WithChannels(3);
        using Image plain = photo.WithChannels(3);
        Image[] pictures = options.SideBySide ? [plain, drawn] : [drawn];
        using var words = new Lettering(Math.Clamp(Math.Min(mask.Height, mask.Width) / 22, 12, 72));
        Legend? legend = options.Legend ? new Legend(words, mask, palette) : null;
        int gap = (int)words.Size / 2;
        int height = Math.Max(mask.Height, legend?.Height ?? 0);
        long width = pictures.Sum(picture => picture.Width + (long)gap) - gap + (legend?.Width ?? 0);
        using var canvas = new Image(height, checked((int)width), PixelFormat.Rgba);
        canvas.Pixels.Fill(byte.MaxValue);
        int left = 0;
        foreach (Image picture in pictures)
        {
            Copy(picture, canvas, left);
            left += picture.Width + gap;
        }
        if (legend is not null)
            Lettering.On(canvas, on => legend.Draw(on, left - gap));
        return canvas.WithChannels(3);
    }

    private static void Copy(Image from, Image to, int left)
    {
        for (int y = 0; y < from.Height; y++)
        {
            ReadOnlySpan<byte> source = from.Row(y);
            Span<byte> target = to.Row(y)[(4 * left)..];
            for (int x = 0; x < from.Width; x++)
                source.Slice(3 * x, 3).CopyTo(target[(4 * x)..]);
        }
    }

    /// <summary>A row for each class that the mask has, the largest first.</summary>
    private sealed class Legend
    {
        private readonly Lettering _words;
        private readonly (string Name, string Share, Rgb? Colour)[] _rows;
        private readonly float _line, _names, _shares;

        public Legend(Lettering words, Segmentation mask, Palette palette)
        {
            _words = words;
            _line = words.Size * 1.5f;
            (string Name, string Share, Rgb? Colour)[] all =
            [
                .. mask.Shares.Select(share => (
                    Lettering.Shortened(mask.NameOf(share.Label)), Percent(share.Share),
                    share.Label == mask.Background ? (Rgb?)null : palette[share.Label])),
            ];
            _rows = all.Length <= MostRows ? all
                : [.. all.Take(MostRows - 1), ($"and {all.Length - MostRows + 1} more", "", null)];
            _names = _rows.Select(row => words.WidthOf(row.Name)).DefaultIfEmpty().Max();
            _shares = _rows.Select(row => words.WidthOf(row.Share)).DefaultIfEmpty().Max();
            Width = (int)Math.Ceiling(_names + _shares + 4.5f * words.Size);
            Height = (int)Math.Ceiling(_line * _rows.Length + words.Size);
        }

        public int Width { get; }

        public int Height { get; }

        public void Draw(SKCanvas canvas, int left)
        {
            float size = _words.Size, at = left + size;
            for (int i = 0; i < _rows.Length; i++)
            {
                (string name, string share, Rgb? colour) = _rows[i];
                float middle = size / 2 + _line * (i + 0.5f);
                if (share.Length > 0)
                    DrawSwatch(canvas, new SKRect(at, middle - size / 2, at + size, middle + size / 2), colour);
                _words.Draw(canvas, name, at + 1.5f * size, middle, SKColors.Black);
                float right = at + 2.5f * size + _names + _shares;
                _words.Draw(canvas, share, right - _words.WidthOf(share), middle, SKColors.Black);
            }
        }

        /// <summary>Of what is left as it is in the photo the frame alone.</summary>
        private static void DrawSwatch(SKCanvas canvas, SKRect box, Rgb? colour)
        {
            if (colour is var (red, green, blue))
            {
                using var fill = new SKPaint { Color = new SKColor(red, green, blue) };
                canvas.DrawRect(box, fill);
            }
            using var frame = new SKPaint { Color = SKColors.Gray, IsStroke = true, StrokeWidth = 1 };
            canvas.DrawRect(box, frame);
        }

        private static string Percent(double share) => share < 0.0005
            ? "< 0.1 %"
            : (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + " %";
    }
}
