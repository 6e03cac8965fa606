using System.Numerics;
using System.Runtime.InteropServices;

namespace Atrous.Tensors;

/// <summary>Finds what is no finite number.</summary>
internal static class FiniteNumbers
{
    /// <summary>All bits of the exponent, which infinities and NaN alone have.</summary>
    private const int Exponent = 0x7F800000;

    /// <summary>Whether some number is NaN or plus infinity, as those that have overflowed are.</summary>
    public static bool Overflow(ReadOnlySpan<float> values)
    {
        var largest = new Vector<float>(float.MaxValue);
        int at = 0;
        for (; at <= values.Length - Vector<float>.Count; at += Vector<float>.Count)
        {
            if (!Vector.LessThanOrEqualAll(new Vector<float>(values[at..]), largest))
                return true;
        }
        for (; at < values.Length; at++)
        {
            if (!(values[at] <= float.MaxValue))
                return true;
        }
        return false;
    }

    /// <summary>The place of the first infinity or NaN; -1 where there is none.</summary>
    public static int FirstOther(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(values);
        int at = 0;
        for (var exponent = new Vector<int>(Exponent); at <= bits.Length - Vector<int>.Count; at += Vector<int>.Count)
        {
            if (Vector.EqualsAny(new Vector<int>(bits[at..]) & exponent, exponent))
                break;
        }
        for (; at < bits.Length; at++)
        {
            if ((bits[at] & Exponent) == Exponent)
                return at;
        }
        return -1;
    }
}
