namespace Atrous.Postprocessing;

/// <summary>
/// The size of picture that a CRF works at: a large one's beliefs and lattices would take many gigabytes, and minutes.
/// </summary>
internal static class CrfSize
{
    /// <summary>What the CRF of one picture may reserve, the network's scores included.</summary>
    public const long MaxBytes = 1_500_000_000;

    /// <summary>
    /// Two lattices of a photo with much detail, a pixel, as measured with 11 and 21 classes; those of noise take
    /// several times as much.
    /// </summary>
    private const int LatticeBytes = 420;

    /// <summary>While they are made, when there are no beliefs yet.</summary>
    private const int MakingBytes = 480;

    /// <summary>
    /// The scale on which the memory of a picture is expected to suffice: 1 for most.
    /// </summary>
    public static double ScaleFor(int height, int width, int classes)
    {
        double share = MaxBytes / ((double)height * width * BytesOf(classes));
        return share >= 1 ? 1 : Math.Sqrt(share);
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

    /// <summary>Of a pixel: scores, unaries, beliefs (whose rows are whole vectors) and lattices, at most.</summary>
    private static long BytesOf(int classes)
    {
        long row = (classes + 7L) / 8 * 8;
        return sizeof(float) * (classes + row) + Math.Max(sizeof(float) * row + LatticeBytes, MakingBytes);
    }
}
