using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Atrous.Imaging.Formats;

/// <summary>
/// The inverse DCT of libjpeg's "islow" (Loeffler, Ligtenberg and Moschytz 1989, with 13 bits of fraction), operation
/// for operation, so that pixels have the bits that everybody's have. Eight columns go at once.
/// </summary>
internal static unsafe class JpegIdct
{
    private const int Side = 8, FractionBits = 13, FirstBits = 2;

    /// <param name="coefficients">64 of them, row by row.</param>
    /// <param name="quantization">What each is multiplied by.</param>
    /// <param name="to">The block's first sample.</param>
    /// <param name="stride">Samples from a row to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transform(short* coefficients, int* quantization, byte* to, int stride)
    {
        if (IsFlat(coefficients))
        {
            int level = (coefficients[0] * quantization[0] << FirstBits) + (1 << (FirstBits + 2)) >> (FirstBits + 3);
            byte sample = (byte)Math.Clamp(level + 128, 0, byte.MaxValue);
            ulong row = sample * 0x0101010101010101UL;
            for (int y = 0; y < Side; y++)
                Unsafe.WriteUnaligned(to + y * stride, row);
            return;
        }
        Lines lines;
        Load(coefficients, quantization, out lines);
        Pass(ref lines, FractionBits - FirstBits);
        Transpose(ref lines);
        Pass(ref lines, FractionBits + FirstBits + 3);
        Transpose(ref lines);
        Vector256<int>* rows = &lines.A;
        for (int y = 0; y < Side; y++)
        {
            Vector256<int> row = Vector256.Min(
                Vector256.Max(rows[y] + Vector256.Create(128), Vector256<int>.Zero), Vector256.Create(255));
            Vector128<ushort> half = Vector128.Narrow(row.GetLower().AsUInt32(), row.GetUpper().AsUInt32());
            Unsafe.WriteUnaligned(to + y * stride, Vector128.Narrow(half, half).AsUInt64()[0]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsFlat(short* coefficients)
    {
        ulong* words = (ulong*)coefficients;
        ulong any = words[0] >> 16 << 16;
        for (int i = 1; i < 16; i++)
            any |= words[i];
        return any == 0;
    }

    private struct Lines
    {
        public Vector256<int> A, B, C, D, E, F, G, H;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(short* coefficients, int* quantization, out Lines lines)
    {
        lines.A = Line(coefficients, quantization, 0);
        lines.B = Line(coefficients, quantization, 1);
        lines.C = Line(coefficients, quantization, 2);
        lines.D = Line(coefficients, quantization, 3);
        lines.E = Line(coefficients, quantization, 4);
        lines.F = Line(coefficients, quantization, 5);
        lines.G = Line(coefficients, quantization, 6);
        lines.H = Line(coefficients, quantization, 7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Line(short* coefficients, int* quantization, int y)
    {
        Vector128<short> line = Vector128.Load(coefficients + Side * y);
        return Vector256.Create(Vector128.WidenLower(line), Vector128.WidenUpper(line))
            * Vector256.Load(quantization + Side * y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pass(ref Lines on, int shift)
    {
        Vector256<int> z1 = (on.C + on.G) * 4433;
        Vector256<int> even2 = z1 - on.G * 15137, even3 = z1 + on.C * 6270;
        Vector256<int> even0 = (on.A + on.E) << FractionBits, even1 = (on.A - on.E) << FractionBits;
        Vector256<int> half = Vector256.Create(1 << (shift - 1));
        Vector256<int> a = even0 + even3 + half, d = even0 - even3 + half;
        Vector256<int> b = even1 + even2 + half, c = even1 - even2 + half;

        Vector256<int> z5 = (on.H + on.D + on.F + on.B) * 9633;
        Vector256<int> z3 = z5 - (on.H + on.D) * 16069, z4 = z5 - (on.F + on.B) * 3196;
        Vector256<int> y1 = (on.H + on.B) * -7373, y2 = (on.F + on.D) * -20995;
        Vector256<int> odd0 = on.H * 2446 + y1 + z3, odd1 = on.F * 16819 + y2 + z4;
        Vector256<int> odd2 = on.D * 25172 + y2 + z3, odd3 = on.B * 12299 + y1 + z4;

        (on.A, on.H) = ((a + odd3) >> shift, (a - odd3) >> shift);
        (on.B, on.G) = ((b + odd2) >> shift, (b - odd2) >> shift);
        (on.C, on.F) = ((c + odd1) >> shift, (c - odd1) >> shift);
        (on.D, on.E) = ((d + odd0) >> shift, (d - odd0) >> shift);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(ref Lines lines)
    {
        Lines from = lines;
        int* values = (int*)&from;
        lines.A = Column(values, 0);
        lines.B = Column(values, 1);
        lines.C = Column(values, 2);
        lines.D = Column(values, 3);
        lines.E = Column(values, 4);
        lines.F = Column(values, 5);
        lines.G = Column(values, 6);
        lines.H = Column(values, 7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Column(int* at, int x) => Vector256.Create(
        at[x], at[x + 8], at[x + 16], at[x + 24], at[x + 32], at[x + 40], at[x + 48], at[x + 56]);
}
