using System.Globalization;
using Atrous.Imaging;
using Atrous.Postprocessing;
using SkiaSharp;

namespace Atrous.Evaluation;

/// <summary>A confusion matrix with names and figures.</summary>
internal sealed class NamedConfusion
{
    private const int Side = 1200, LeastCell = 14, MostCell = 64, LeastWithFigures = 26;
    private const string Rows = "what it is", Columns = "what it is taken for";

    private static readonly SKColor Grey = new(0x60, 0x60, 0x60), Nothing = new(0xD9, 0xD9, 0xD9);

    private readonly ConfusionMatrix _matrix;
    private readonly string[] _names;
    private readonly Palette _palette;
    private readonly int _cell;
    private readonly float _size, _longest, _edge;

    public NamedConfusion(ConfusionMatrix matrix, IReadOnlyList<string> names, Palette palette)
    {
        (_matrix, _palette) = (matrix, palette);
        _names = [.. names.Select(Lettering.Shortened)];
        _cell = Math.Clamp(Side / matrix.Classes, LeastCell, MostCell);
        _size = Math.Min(_cell * 0.7f, 20);
        using var words = new Lettering(_size);
        _longest = Math.Max(_names.Max(words.WidthOf), words.WidthOf(Columns));
        // A line for what the axis is, the names, a swatch, and space between them.
        _edge = MathF.Ceiling(_longest + 4 * _size);
    }

    public Image Draw()
    {
        int side = (int)_edge + _matrix.Classes * _cell + _cell / 4;
        using var canvas = new Image(side, side, PixelFormat.Rgba);
        Lettering.On(canvas, on =>
        {
            on.Clear(SKColors.White);
            DrawCells(on);
            // The names of columns are those of rows, turned.
            DrawNames(on, Rows, isTurned: false);
            on.RotateDegrees(-90);
            on.Translate(-_edge, 0);
            DrawNames(on, Columns, isTurned: true);
        });
        return canvas.WithChannels(3);
    }

    private void DrawCells(SKCanvas on)
    {
        using var figures = new Lettering(_cell * 0.38f);
        using var paint = new SKPaint();
        float gap = Math.Max(1, _cell / 16);
        for (int truth = 0; truth < _matrix.Classes; truth++)
        {
            double pixels = _matrix.TruePixels(truth);
            for (int label = 0; label < _matrix.Classes; label++)
            {
                (float x, float y) = (_edge + label * _cell, _edge + truth * _cell);
                double share = pixels > 0 ? _matrix[truth, label] / pixels : 0;
                paint.Color = pixels > 0 ? ColourOf(ConfusionPicture.Shade(share)) : Nothing;
                on.DrawRect(x, y, _cell - gap, _cell - gap, paint);
                string figure = (100 * share).ToString("0", CultureInfo.InvariantCulture);
                if (_cell < LeastWithFigures || figure == "0")
                    continue;
                figures.Draw(
                    on, figure, x + (_cell - gap - figures.WidthOf(figure)) / 2, y + (_cell - gap) / 2,
                    share > 0.5 ? SKColors.White : SKColors.Black);
            }
        }
    }

    /// <summary>
    /// Along the left edge, from the top; along the top edge on a canvas that is turned, where the first name comes
    /// first from the left.
    /// </summary>
    private void DrawNames(SKCanvas on, string axis, bool isTurned)
    {
        using var words = new Lettering(_size);
        using var paint = new SKPaint();
        for (int label = 0; label < _matrix.Classes; label++)
        {
            float middle = _edge + label * _cell + _cell / 2f, end = _edge - 2 * _size;
            float x = isTurned ? 2 * _size : end - words.WidthOf(_names[label]);
            words.Draw(on, _names[label], x, middle, SKColors.Black);
            paint.Color = ColourOf(_palette[label]);
            float swatch = isTurned ? _size * 0.5f : end + _size * 0.6f;
            on.DrawRect(swatch, middle - _size / 2, _size, _size, paint);
        }
        float from = isTurned ? 2 * _size : _edge - 3 * _size - words.WidthOf(axis);
        words.Draw(on, axis, from, _edge - _size, Grey);
    }

    private static SKColor ColourOf(Rgb colour) => new(colour.Red, colour.Green, colour.Blue);
}
