using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Evaluation;

/// <summary>
/// A confusion matrix to look at: a row per true class, a column per label, each beside a swatch of the class's colour.
/// The darker a cell, the larger the share of the row's pixels; the diagonal is what is right.
/// </summary>
public static class ConfusionPicture
{
    private const int Side = 720, LargestCell = 40, MostNamed = 400;

    // ColorBrewer's Blues (Brewer and Harrower 2003): even steps to the eye, readable without colour vision.
    private static readonly Rgb[] Shades =
    [
        Rgb.FromHex(0xF7FBFF), Rgb.FromHex(0xDEEBF7), Rgb.FromHex(0xC6DBEF), Rgb.FromHex(0x9ECAE1),
            Rgb.FromHex(0x6BAED6),
        Rgb.FromHex(0x4292C6), Rgb.FromHex(0x2171B5), Rgb.FromHex(0x08519C), Rgb.FromHex(0x08306B),
    ];

    private static readonly Rgb Paper = Rgb.FromHex(0xFFFFFF), Nothing = Rgb.FromHex(0xD9D9D9);

    /// <summary>Draws it: a white picture with square cells of 4 to 40 pixels. The caller disposes it.</summary>
    /// <param name="matrix">The counts to draw; rows of classes that the truth does not have are grey.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette.Default"/>.</param>
    public static Image Draw(ConfusionMatrix matrix, Palette? palette = null)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        palette ??= Palette.Default;
        int cell = Math.Clamp(Side / matrix.Classes, 4, LargestCell), gap = cell / 8;
        // The swatches, and half a cell of white between them and the matrix.
        int edge = cell + cell / 2, side = edge + matrix.Classes * cell;
        var image = new Image(side, side, 3);
        Fill(image, 0, 0, side, Paper);
        for (int truth = 0; truth < matrix.Classes; truth++)
        {
            int at = edge + truth * cell;
            Fill(image, at, 0, cell - gap, palette[truth]);
            Fill(image, 0, at, cell - gap, palette[truth]);
            double pixels = matrix.TruePixels(truth);
            for (int label = 0; label < matrix.Classes; label++)
                Fill(image, at, edge + label * cell, cell - gap, pixels > 0
                    ? Shade(matrix[truth, label] / pixels)
                    : Nothing);
        }
        return image;
    }

    /// <summary>
    /// The same with the classes' names, and in each cell the percentage of its row, where the cells are large enough
    /// for it. Of more than 400 classes the names are left out.
    /// </summary>
    /// <param name="matrix">The counts to draw; rows of classes that the truth does not have are grey.</param>
    /// <param name="names">The name of each class, from class 0 on.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette.Default"/>.</param>
    /// <returns>A white picture of any size. The caller disposes it.</returns>
    public static Image DrawNamed(
        ConfusionMatrix matrix, IReadOnlyList<string> names, Palette? palette = null)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        ArgumentNullException.ThrowIfNull(names);
        if (names.Count != matrix.Classes)
            throw new ArgumentException($"There are {names.Count} names for {matrix.Classes} classes.", nameof(names));
        return matrix.Classes > MostNamed
            ? Draw(matrix, palette)
            : new NamedConfusion(matrix, names, palette ?? Palette.Default).Draw();
    }

    internal static Rgb Shade(double share)
    {
        double at = share * (Shades.Length - 1);
        int lower = Math.Min((int)at, Shades.Length - 2);
        (Rgb from, Rgb to, double part) = (Shades[lower], Shades[lower + 1], at - lower);
        return new Rgb(Between(from.Red, to.Red), Between(from.Green, to.Green), Between(from.Blue, to.Blue));

        byte Between(byte a, byte b) => (byte)Math.Round(a + (b - a) * part);
    }

    private static void Fill(Image image, int top, int left, int side, Rgb colour)
    {
        for (int y = top; y < top + side; y++)
        {
            Span<byte> row = image.Pixels.Slice((y * image.Width + left) * 3, side * 3);
            for (int x = 0; x < row.Length; x += 3)
                (row[x], row[x + 1], row[x + 2]) = colour;
        }
    }
}
