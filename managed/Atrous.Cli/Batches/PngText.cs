using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Atrous.Cli.Batches;

/// <summary>A text among the chunks of a PNG file, under a keyword. Viewers and readers pass over it.</summary>
internal static class PngText
{
    private const int Longest = 1 << 20, Overhead = 12;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>The file with the text before its end mark.</summary>
    /// <param name="png">The bytes of a whole file.</param>
    /// <param name="keyword">What the text is found by.</param>
    /// <param name="text">ASCII, which is the same in all that reads PNG.</param>
    public static byte[] Add(ReadOnlySpan<byte> png, string keyword, string text)
    {
        if (png.Length < Overhead || !png[^8..^4].SequenceEqual("IEND"u8))
            throw new ArgumentException("The file has no end mark.", nameof(png));
        byte[] contents = Encoding.ASCII.GetBytes($"tEXt{keyword}\0{text}");
        var whole = new byte[png.Length + contents.Length + 8];
        png[..^Overhead].CopyTo(whole);
        Span<byte> rest = whole.AsSpan(png.Length - Overhead);
        BinaryPrimitives.WriteInt32BigEndian(rest, contents.Length - 4);
        contents.CopyTo(rest[4..]);
        BinaryPrimitives.WriteUInt32BigEndian(rest[(4 + contents.Length)..], Crc32.HashToUInt32(contents));
        png[^Overhead..].CopyTo(rest[(8 + contents.Length)..]);
        return whole;
    }

    /// <summary>
    /// The text of this keyword in a file that is whole, by the checksums of all its chunks and its end mark; null
    /// where it has none, or is not whole.
    /// </summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string? Find(Stream stream, string keyword)
    {
        Span<byte> head = stackalloc byte[8];
        var buffer = new byte[1 << 16];
        string? found = null;
        if (!Fill(stream, head) || !head.SequenceEqual(Signature))
            return null;
        while (Fill(stream, head))
        {
            long left = BinaryPrimitives.ReadUInt32BigEndian(head);
            bool isText = head[4..].SequenceEqual("tEXt"u8) && left <= Longest;
            bool isEnd = head[4..].SequenceEqual("IEND"u8);
            var text = new MemoryStream();
            var checksum = new Crc32();
            checksum.Append(head[4..]);
            while (left > 0)
            {
                Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
                if (!Fill(stream, piece))
                    return null;
                checksum.Append(piece);
                if (isText)
                    text.Write(piece);
                left -= piece.Length;
            }
            if (!Fill(stream, head[..4])
                || BinaryPrimitives.ReadUInt32BigEndian(head) != checksum.GetCurrentHashAsUInt32())
                return null;
            if (isEnd)
                return stream.ReadByte() < 0 ? found : null;
            string[] parts = Encoding.Latin1.GetString(text.ToArray()).Split('\0', 2);
            if (parts.Length == 2 && parts[0] == keyword)
                found = parts[1];
        }
        return null;
    }

    private static bool Fill(Stream stream, Span<byte> bytes) =>
        stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;
}
