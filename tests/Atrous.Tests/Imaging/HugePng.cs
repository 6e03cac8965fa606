using System.Buffers.Binary;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Imaging;

/// <summary>PNG files whose header is sound and claims a size that no memory holds.</summary>
internal static class HugePng
{
    public static byte[] Bytes(int width, int height)
    {
        byte[] file = Workplace.Photo();
        // Behind the signature: length, "IHDR", width, height, five bytes, and the checksum over all but the length.
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(29), Checksum(file.AsSpan(12, 17)));
        return file;
    }

    /// <summary>PNG's CRC-32, bit by bit (PNG specification, annex D).</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
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
}
