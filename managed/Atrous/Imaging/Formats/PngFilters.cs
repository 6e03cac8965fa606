using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Atrous.Imaging.Formats;

/// <summary>PNG's filters (PNG specification, chapter 9): a byte stands as its difference from a guess.</summary>
internal static class PngFilters
{
    public const byte None = 0, Sub = 1, Up = 2, Average = 3, Paeth = 4;

    /// <summary>A row's bytes from their differences.</summary>
    /// <param name="filter">The byte before the row.</param>
    /// <param name="row">The differences, which are overwritten.</param>
    /// <param name="above">The row above; zeros above the first.</param>
    /// <param name="step">The number of bytes of a pixel, at least 1.</param>
    public static void Undo(byte filter, Span<byte> row, ReadOnlySpan<byte> above, int step)
    {
        switch (filter)
        {
            case None:
                break;
            case Up:
                AddRows(row, above);
                break;
            case Sub or Average or Paeth:
                UndoNeighbours(filter, row, above, step);
                break;
            default:
                throw PngReader.Broken($"it has a filter {filter}");
        }
    }

    /// <summary>A row's differences from Paeth's guess.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ApplyPaeth(ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int step, Span<byte> differences)
    {
        for (int i = 0; i < step; i++)
            differences[i] = (byte)(row[i] - above[i]);
        int at = step;
        for (; at + sizeof(ulong) <= row.Length; at += sizeof(ulong))
        {
            Vector128<short> left = Widen(row[(at - step)..]), up = Widen(above[at..]);
            Vector128<short> guess = Guess(left, up, Widen(above[(at - step)..]));
            ulong packed = Vector128.Narrow(
                (Widen(row[at..]) - guess).AsUInt16() & Vector128.Create((ushort)byte.MaxValue),
                Vector128<ushort>.Zero).AsUInt64()[0];
            MemoryMarshal.Write(differences[at..], in packed);
        }
        for (; at < row.Length; at++)
            differences[at] = (byte)(row[at] - Guess(row[at - step], above[at], above[at - step]));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRows(Span<byte> row, ReadOnlySpan<byte> above)
    {
        int at = 0;
        for (; at + Vector128<byte>.Count <= row.Length; at += Vector128<byte>.Count)
            (Vector128.Create<byte>(row[at..]) + Vector128.Create(above[at..])).CopyTo(row[at..]);
        for (; at < row.Length; at++)
            row[at] += above[at];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void UndoNeighbours(byte filter, Span<byte> row, ReadOnlySpan<byte> above, int step)
    {
        // Two pixels' worth of bytes are always read at once, so that the last ones go byte by byte.
        int at = 0;
        if (step >= 3)
        {
            at = step switch
            {
                3 => UndoPixels<Three>(filter, row, above),
                4 => UndoPixels<Four>(filter, row, above),
                6 => UndoPixels<Six>(filter, row, above),
                _ => UndoPixels<Eight>(filter, row, above),
            };
        }
        for (; at < row.Length; at++)
        {
            int left = at < step ? 0 : row[at - step], corner = at < step ? 0 : above[at - step], up = above[at];
            row[at] += (byte)(filter == Sub ? left : filter == Average ? (left + up) / 2 : Guess(left, up, corner));
        }
    }

    /// <summary>All pixels behind which there are bytes enough to read a vector; returns where it stopped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int UndoPixels<TStep>(byte filter, Span<byte> row, ReadOnlySpan<byte> above)
        where TStep : IStep
    {
        Vector128<short> left = Vector128<short>.Zero, corner = left;
        Vector128<short> mask = Vector128.Create((short)byte.MaxValue);
        int at = 0;
        for (; at + sizeof(ulong) <= row.Length; at += TStep.Bytes)
        {
            Vector128<short> up = Widen(above[at..]), guess = filter switch
            {
                Sub => left,
                Average => (left + up) >> 1,
                _ => Guess(left, up, corner),
            };
            left = (Widen(row[at..]) + guess) & mask;
            corner = up;
            ulong packed = Vector128.Narrow(left.AsUInt16(), Vector128<ushort>.Zero).AsUInt64()[0];
            MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in packed))[..TStep.Bytes].CopyTo(row[at..]);
        }
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> Widen(ReadOnlySpan<byte> bytes) =>
        Vector128.WidenLower(Vector128.CreateScalar(MemoryMarshal.Read<ulong>(bytes)).AsByte()).AsInt16();

    /// <summary>Of left, up and corner the nearest to left + up - corner, in this order among equals.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> Guess(Vector128<short> left, Vector128<short> up, Vector128<short> corner)
    {
        Vector128<short> down = up - corner, right = left - corner;
        Vector128<short> toLeft = Vector128.Abs(down), toUp = Vector128.Abs(right);
        Vector128<short> toCorner = Vector128.Abs(down + right);
        Vector128<short> nearest = Vector128.Min(toCorner, Vector128.Min(toLeft, toUp));
        return Vector128.ConditionalSelect(
            Vector128.Equals(nearest, toLeft), left,
            Vector128.ConditionalSelect(Vector128.Equals(nearest, toUp), up, corner));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Guess(int left, int up, int corner)
    {
        int toLeft = Math.Abs(up - corner), toUp = Math.Abs(left - corner), toCorner = Math.Abs(left + up - 2 * corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }

    private interface IStep
    {
        static abstract int Bytes { get; }
    }

    private readonly struct Three : IStep
    {
        public static int Bytes => 3;
    }

    private readonly struct Four : IStep
    {
        public static int Bytes => 4;
    }

    private readonly struct Six : IStep
    {
        public static int Bytes => 6;
    }

    private readonly struct Eight : IStep
    {
        public static int Bytes => 8;
    }
}
