using System.Buffers.Binary;

namespace Atrous.Tests.Imaging;

/// <summary>PNG files, chunk by chunk.</summary>
internal static class PngFile
{
    private const int Signature = 8, Head = 8, Checksum = 4;

    /// <summary>Where the last chunk of pixels ends.</summary>
    public static int EndOfPixels(byte[] file) => Chunks(file).Last(chunk => chunk.Name == "IDAT").End;

    /// <summary>Where the first chunk of pixels begins.</summary>
    public static int StartOfPixels(byte[] file) => Chunks(file).First(chunk => chunk.Name == "IDAT").Start;

    /// <summary>The file with one more chunk at this place.</summary>
    public static byte[] With(byte[] file, int at, string name, byte[] data)
    {
        byte[] chunk = [0, 0, 0, 0, .. System.Text.Encoding.ASCII.GetBytes(name), .. data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(^4..), ChecksumOf(chunk.AsSpan(4..^4)));
        return [.. file[..at], .. chunk, .. file[at..]];
    }

    /// <summary>PNG's CRC-32, bit by bit (PNG specification, annex D).</summary>
    public static uint ChecksumOf(ReadOnlySpan<byte> bytes)
    {
        uint sum = uint.MaxValue;
        foreach (byte value in bytes)
        {
            sum ^= value;
            for (int bit = 0; bit < 8; bit++)
                sum = (sum >> 1) ^ ((sum & 1) * 0xEDB88320);
        }
        return ~sum;
    }

    private static IEnumerable<(string Name, int Start, int End)> Chunks(byte[] file)
    {
        for (int at = Signature; at + Head <= file.Length;)
        {
            int end = at + Head + BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at)) + Checksum;
            yield return (System.Text.Encoding.ASCII.GetString(file, at + 4, 4), at, end);
            at = end;
        }
    }
}
