using SkiaSharp;

namespace Atrous.Imaging;

/// <summary>
/// Words in pictures. The font is in the library: SkiaSharp's build for Linux that needs nothing else finds none of the
/// system's, and the same picture comes out everywhere.
/// </summary>
internal sealed class Lettering : IDisposable
{
    private const string Resource = "Atrous.Imaging.sans.ttf";

    private const int LongestName = 30;

    private static readonly Lazy<SKTypeface> Face = new(() =>
    {
        using Stream stream = typeof(Lettering).Assembly.GetManifestResourceStream(Resource)!;
        return SKTypeface.FromStream(stream);
    });

    private readonly SKFont _font;

    /// <param name="size">The height of a line, about, in pixels.</param>
    public Lettering(float size)
    {
        _font = new SKFont(Face.Value, size) { Edging = SKFontEdging.Antialias, Subpixel = true };
        Size = size;
    }

    public float Size { get; }

    /// <summary>A name, cut where it is too long for a row of names.</summary>
    public static string Shortened(string name) =>
        name.Length <= LongestName ? name : name[..(LongestName - 1)] + "\u2026";

    /// <summary>How wide a text is.</summary>
    public float WidthOf(string text) => _font.MeasureText(text);

    /// <summary>Draws a line of text from the left.</summary>
    /// <param name="canvas">Where the text is drawn.</param>
    /// <param name="text">What is written, in one line.</param>
    /// <param name="x">Where it begins, from the left.</param>
    /// <param name="middle">Where the middle of its small letters lies, from the top.</param>
    /// <param name="colour">The colour of the letters.</param>
    public void Draw(SKCanvas canvas, string text, float x, float middle, SKColor colour)
    {
        using var paint = new SKPaint { Color = colour, IsAntialias = true };
        canvas.DrawText(text, x, middle + Size * 0.36f, SKTextAlign.Left, _font, paint);
    }

    public void Dispose() => _font.Dispose();

    /// <summary>Draws on a picture of red, green, blue and alpha, which is opaque.</summary>
    public static unsafe void On(Image picture, Action<SKCanvas> draw)
    {
        if (picture.Format != PixelFormat.Rgba)
            throw new ArgumentException("Only pictures of RGBA are drawn on.", nameof(picture));
        using PixelLease pixels = picture.Lease();
        var info = new SKImageInfo(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using SKSurface surface = SKSurface.Create(info, (nint)pixels.Image.Pixels, (int)pixels.Image.RowStride);
        draw(surface.Canvas);
        surface.Flush();
    }
}
