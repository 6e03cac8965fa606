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
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(29), PngFile.ChecksumOf(file.AsSpan(12, 17)));
        return file;
    }
}
