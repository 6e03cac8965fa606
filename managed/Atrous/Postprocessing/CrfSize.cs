namespace Atrous.Postprocessing;

/// <summary>
/// The size of picture that a CRF works at: a large one's beliefs and lattices would take many gigabytes, and minutes.
/// </summary>
internal static class CrfSize
{
    /// <summary>What the CRF of one picture is expected to hold at most, the network's scores included.</summary>
    public const long MaxBytes = 1_500_000_000;

    /// <summary>
    /// What it may reserve at a picture's own size, the network's scores included: photos that are expected to hold
    /// <see cref="MaxBytes"/> take up to <see cref="Making"/> times as much while the lattices are made, and noise
    /// takes more. At a smaller size it may reserve <see cref="MaxBytes"/>.
    /// </summary>
    public const long MostBytes = 2_100_000_000;

    /// <summary>What making the lattices of a photo takes, of what they take then, as measured.</summary>
    private const double Making = 1.38;

    /// <summary>Two lattices of a photo, a pixel, as measured; those of noise take several times as much.</summary>
    private const int LatticeBytes = 300;

    /// <summary>
    /// The scale on which the memory of a picture is expected to suffice: 1 for most; one on which making the lattices
    /// takes no more either where it is less.
    /// </summary>
    public static double ScaleFor(int height, int width, int classes)
    {
        double share = MaxBytes / ((double)height * width * BytesOf(classes));
        return share >= 1 ? 1 : Math.Sqrt(share / Making);
    }

    /// <summary>A picture's size on a scale: as many pixels fewer, also where one side is a pixel already.</summary>
    public static (int Height, int Width) At(int height, int width, double scale)
    {
        double pixels = (double)height * width * scale * scale;
        return scale >= 1 ? (height, width)
            : height * scale < 1 ? (1, Math.Max(1, (int)pixels))
            : width * scale < 1 ? (Math.Max(1, (int)pixels), 1)
            : ((int)(height * scale), (int)(width * scale));
    }

    /// <summary>Bytes that the CRF of a photo is expected to take, the network's scores included.</summary>
    public static long BytesAt(int height, int width, int classes) => (long)height * width * BytesOf(classes);

    /// <summary>Bytes that the CRF itself may reserve at a size.</summary>
    public static long LimitAt(int height, int width, int classes, long mostBytes) =>
        Math.Max(1, mostBytes - (long)height * width * classes * sizeof(float));

    /// <summary>Of a pixel: scores, unaries, beliefs (whose rows are whole vectors) and lattices.</summary>
    private static long BytesOf(int classes) =>
        sizeof(float) * (classes + 2 * ((classes + 7L) / 8 * 8)) + LatticeBytes;
}
