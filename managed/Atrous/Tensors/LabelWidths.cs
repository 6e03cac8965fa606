using System.Numerics;

namespace Atrous.Tensors;

/// <summary>Labels of one width as labels of the other, many at a time.</summary>
internal static class LabelWidths
{
    /// <summary>Bytes as 16 bits each.</summary>
    /// <param name="from">The labels that are read.</param>
    /// <param name="to">Gets the labels: memory for as many, or more.</param>
    public static void Widen(ReadOnlySpan<byte> from, Span<ushort> to)
    {
        int i = 0;
        for (; i <= from.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(from[i..]), out Vector<ushort> low, out Vector<ushort> high);
            low.CopyTo(to[i..]);
            high.CopyTo(to[(i + Vector<ushort>.Count)..]);
        }
        for (; i < from.Length; i++)
            to[i] = from[i];
    }

    /// <summary>16 bits as bytes each, none of them above 255.</summary>
    /// <inheritdoc cref="Widen" path="/param"/>
    public static void Narrow(ReadOnlySpan<ushort> from, Span<byte> to)
    {
        int i = 0;
        for (; i <= from.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Narrow(new Vector<ushort>(from[i..]), new Vector<ushort>(from[(i + Vector<ushort>.Count)..]))
                .CopyTo(to[i..]);
        }
        for (; i < from.Length; i++)
            to[i] = (byte)from[i];
    }
}
