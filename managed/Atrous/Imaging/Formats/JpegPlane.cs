using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Atrous.Imaging.Formats;

/// <summary>The samples of one component, decoded; and its rows as wide as the picture.</summary>
/// <param name="across">The number of pixels that a sample stands for in a row.</param>
/// <param name="down">The number of rows that it stands for.</param>
/// <param name="height">The number of rows of samples that stand for pixels.</param>
/// <param name="width">Samples of a row that stand for pixels.</param>
/// <param name="stride">Samples of a row in memory, whole blocks.</param>
/// <param name="rows">The number of rows of samples in memory, whole blocks.</param>
internal sealed unsafe class JpegPlane(int across, int down, int height, int width, int stride, int rows)
{
    // Behind the last row vectors read on.
    private const int Beyond = 32;

    private readonly byte[] _samples =
        GC.AllocateUninitializedArray<byte>(checked(stride * rows + Beyond), pinned: true);

    private readonly ushort[] _sums = new ushort[width + Beyond];

    public int Stride => stride;

    /// <summary>Sample (y, 0).</summary>
    public byte* Row(int y) =>
        (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_samples, 0) + (long)y * stride;

    /// <summary>
    /// A row of the picture: where samples stand for two pixels, between their centres as libjpeg's "fancy" upsampling
    /// has it, else repeated. The scratch memory gets the row where it does not lie ready.
    /// </summary>
    public byte* PictureRow(int y, byte* scratch)
    {
        const int narrow = 2;
        int row = y / down;
        byte* current = Row(row);
        if (across == 1 && down == 1)
            return current;
        byte* near = Row(Math.Clamp(y % down == 0 ? row - 1 : row + 1, 0, height - 1));
        if (across == 2 && down == 1 && width > narrow)
            Double(current, scratch);
        else if (across == 2 && down == 2 && width > narrow)
            DoubleBetween(current, near, scratch);
        else if (across == 1 && down == 2)
            Between(current, near, y % 2 == 0 ? 1 : 2, scratch);
        else
            Repeat(current, scratch);
        return scratch;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Double(byte* from, byte* to)
    {
        int last = width - 1;
        to[0] = from[0];
        to[1] = (byte)((3 * from[0] + from[1] + 2) >> 2);
        for (int x = 1; x < last; x++)
        {
            to[2 * x] = (byte)((3 * from[x] + from[x - 1] + 1) >> 2);
            to[2 * x + 1] = (byte)((3 * from[x] + from[x + 1] + 2) >> 2);
        }
        to[2 * last] = (byte)((3 * from[last] + from[last - 1] + 1) >> 2);
        to[2 * last + 1] = from[last];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void DoubleBetween(byte* current, byte* near, byte* to)
    {
        fixed (ushort* sums = _sums)
        {
            for (int x = 0; x < width; x += Vector128<ushort>.Count)
            {
                Vector128<ushort> here = Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)(current + x)).AsByte());
                Vector128<ushort> there = Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)(near + x)).AsByte());
                (here * 3 + there).Store(sums + x);
            }
            int last = width - 1;
            to[0] = (byte)((4 * sums[0] + 8) >> 4);
            to[1] = (byte)((3 * sums[0] + sums[1] + 7) >> 4);
            int at = 1;
            for (; at + Vector128<ushort>.Count <= last; at += Vector128<ushort>.Count)
            {
                Vector128<ushort> triple = Vector128.Load(sums + at) * 3;
                Vector128<ushort> left = (triple + Vector128.Load(sums + at - 1) + Vector128.Create((ushort)8)) >> 4;
                Vector128<ushort> right = (triple + Vector128.Load(sums + at + 1) + Vector128.Create((ushort)7)) >> 4;
                (left | right << 8).Store((ushort*)(to + 2 * at));
            }
            for (; at < last; at++)
            {
                to[2 * at] = (byte)((3 * sums[at] + sums[at - 1] + 8) >> 4);
                to[2 * at + 1] = (byte)((3 * sums[at] + sums[at + 1] + 7) >> 4);
            }
            to[2 * last] = (byte)((3 * sums[last] + sums[last - 1] + 8) >> 4);
            to[2 * last + 1] = (byte)((4 * sums[last] + 7) >> 4);
        }
    }

    private void Between(byte* current, byte* near, int half, byte* to)
    {
        for (int x = 0; x < width; x++)
            to[x] = (byte)((3 * current[x] + near[x] + half) >> 2);
    }

    private void Repeat(byte* from, byte* to)
    {
        for (int x = 0; x < width * across; x++)
            to[x] = from[x / across];
    }
}
