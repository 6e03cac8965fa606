namespace Atrous.Imaging.Formats;

/// <summary>The order of a block's coefficients in a file.</summary>
internal static unsafe class JpegZigzag
{
    private static readonly byte[] Places = GC.AllocateArray<byte>(Size, pinned: true);

    private const int Size = 80;

    static JpegZigzag()
    {
        ReadOnlySpan<byte> order =
        [
            0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
            13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52,
            45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
        ];
        // A damaged file's runs may lead beyond.
        for (int k = order.Length; k < Places.Length; k++)
            Places[k] = 63;
        order.CopyTo(Places);
        Order = (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(Places, 0);
    }

    /// <summary>Where coefficient number k stands in a block, row by row.</summary>
    public static byte* Order { get; }
}
