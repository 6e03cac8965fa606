namespace Atrous.Postprocessing;

/// <summary>As many colours as wanted that are easy to tell apart, always the same ones.</summary>
internal static class DistinctColours
{
    // Black; Okabe and Ito, "Color Universal Design" (2008); then what Paul Tol's "muted" and "light" schemes
    // (SRON technical note 09-002, 2021) add to it.
    private static readonly int[] ColourBlindSafe =
    [
        0x000000,
        0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442, 0x0072B2, 0xD55E00, 0xCC79A7,
        0x332288, 0xDDCC77, 0x117733, 0x882255, 0x44AA99, 0xAA4499, 0x999933, 0xCC6677,
        0xFFAABB, 0xBBCC33, 0xDDDDDD, 0x661100, 0x99DDFF,
    ];

    /// <summary>The first <paramref name="count"/> colours, at most some 500.</summary>
    public static Rgb[] Take(int count)
    {
        var colours = new Rgb[count];
        Rgb[] candidates = Grid();
        var nearest = new int[candidates.Length];
        Array.Fill(nearest, int.MaxValue);
        // Every mask needs colours: loops, because lists and queries of Rgb would be compiled first in every process.
        for (int made = 0; made < count; made++)
        {
            colours[made] = made < ColourBlindSafe.Length
                ? Rgb.FromHex(ColourBlindSafe[made])
                : candidates[Farthest(nearest)];
            for (int i = 0; i < candidates.Length; i++)
                nearest[i] = Math.Min(nearest[i], Distance(colours[made], candidates[i]));
        }
        return colours;
    }

    private static int Farthest(int[] nearest)
    {
        int farthest = 0;
        for (int i = 1; i < nearest.Length; i++)
        {
            if (nearest[i] > nearest[farthest])
                farthest = i;
        }
        return farthest;
    }

    private static Rgb[] Grid()
    {
        const int levels = 8;
        var colours = new Rgb[levels * levels * levels];
        for (int i = 0; i < colours.Length; i++)
            colours[i] = new Rgb(Level(i / (levels * levels)), Level(i / levels % levels), Level(i % levels));
        return colours;

        static byte Level(int index) => (byte)(index * 255 / (levels - 1));
    }

    /// <summary>
    /// Riemersma's "redmean": close to what eyes see, in whole numbers, so that every machine agrees.
    /// </summary>
    private static int Distance(Rgb a, Rgb b)
    {
        int mean = (a.Red + b.Red) / 2, red = a.Red - b.Red, green = a.Green - b.Green, blue = a.Blue - b.Blue;
        return ((512 + mean) * red * red >> 8) + 4 * green * green + ((767 - mean) * blue * blue >> 8);
    }
}
