using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Atrous.Imaging.Formats;

/// <summary>From a row as a PNG has it to pixels.</summary>
internal static class PngPixels
{
    /// <summary>
    /// Channels of 8 bits: palettes become colours, grey of fewer bits is scaled up, of 16 bits the upper 8 are taken,
    /// and what the file says is clear gets an alpha of 0.
    /// </summary>
    /// <param name="header">What the file says of its pixels.</param>
    /// <param name="raw">The row, as the file has it.</param>
    /// <param name="to">Gets the row's pixels, of the header's channels.</param>
    public static void ToColours(PngHeader header, ReadOnlySpan<byte> raw, Span<byte> to)
    {
        if (header.Colour == PngColour.Palette)
            LookUp(header, raw, to);
        else if (header.Transparency is not null)
            WithAlpha(header, raw, to);
        else if (header.Depth == 8)
            raw.CopyTo(to);
        else if (header.Depth == 16)
            TakeUpper(raw, to);
        else
            Scale(header.Depth, raw, to);
    }

    /// <summary>The lower eight of 16 bits, where <see cref="ToColours"/> gives the upper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToLower(PngHeader header, ReadOnlySpan<byte> raw, Span<byte> to)
    {
        int samples = header.Samples, channels = header.Channels;
        ReadOnlySpan<byte> clear = header.Transparency;
        for (int at = 0, i = 1; at < to.Length; at += channels)
        {
            bool isClear = !clear.IsEmpty;
            for (int c = 0; c < samples; c++, i += 2)
            {
                to[at + c] = raw[i];
                isClear = isClear && raw[i - 1] == clear[2 * c] && raw[i] == clear[2 * c + 1];
            }
            if (channels > samples)
                to[at + samples] = isClear ? (byte)0 : byte.MaxValue;
        }
    }

    /// <summary>The numbers of grey or a palette, unscaled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToNumbers(int depth, ReadOnlySpan<byte> raw, Span<ushort> to)
    {
        for (int x = 0; x < to.Length; x++)
            to[x] = (ushort)Sample(raw, x, depth);
    }

    /// <summary>One sample of a row: number i of those of so many bits.</summary>
    private static int Sample(ReadOnlySpan<byte> raw, int i, int depth)
    {
        if (depth == 8)
            return raw[i];
        if (depth == 16)
            return BinaryPrimitives.ReadUInt16BigEndian(raw[(2 * i)..]);
        int perByte = 8 / depth;
        return (raw[i / perByte] >> (8 - depth - i % perByte * depth)) & ((1 << depth) - 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LookUp(PngHeader header, ReadOnlySpan<byte> raw, Span<byte> to)
    {
        ReadOnlySpan<byte> palette = header.Palette, opacity = header.Transparency;
        int channels = header.Channels, depth = header.Depth;
        for (int x = 0, at = 0; at < to.Length; x++, at += channels)
        {
            int index = Sample(raw, x, depth);
            palette.Slice(3 * index, 3).CopyTo(to[at..]);
            if (!opacity.IsEmpty)
                to[at + 3] = opacity[index];
        }
    }

    /// <summary>Clear is what equals the file's one colour in all its bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WithAlpha(PngHeader header, ReadOnlySpan<byte> raw, Span<byte> to)
    {
        int samples = header.Samples, depth = header.Depth, i = 0;
        int whole = (1 << depth) - 1;
        ReadOnlySpan<byte> clear = header.Transparency;
        for (int at = 0; at < to.Length; at += samples + 1)
        {
            bool isClear = true;
            for (int c = 0; c < samples; c++)
            {
                int sample = Sample(raw, i++, depth);
                isClear &= sample == (BinaryPrimitives.ReadUInt16BigEndian(clear[(2 * c)..]) & whole);
                to[at + c] = (byte)(depth == 16 ? sample >> 8 : sample * byte.MaxValue / whole);
            }
            to[at + samples] = isClear ? (byte)0 : byte.MaxValue;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TakeUpper(ReadOnlySpan<byte> raw, Span<byte> to)
    {
        for (int i = 0; i < to.Length; i++)
            to[i] = raw[2 * i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(int depth, ReadOnlySpan<byte> raw, Span<byte> to)
    {
        int most = (1 << depth) - 1;
        for (int i = 0; i < to.Length; i++)
            to[i] = (byte)(Sample(raw, i, depth) * byte.MaxValue / most);
    }
}
