using System.Buffers.Binary;
using Atrous.Imaging;

namespace Atrous.Tests.Imaging;

/// <summary>Writes BMP files of 24 bits a pixel.</summary>
internal static class BmpFile
{
    public static byte[] Of(Image picture)
    {
        const int header = 54;
        int stride = (3 * picture.Width + 3) / 4 * 4;
        var bytes = new byte[header + stride * picture.Height];
        "BM"u8.CopyTo(bytes);
        Number(2, bytes.Length);
        Number(10, header);
        Number(14, header - 14);
        Number(18, picture.Width);
        Number(22, picture.Height);
        Number(26, 1 | (24 << 16));
        for (int y = 0; y < picture.Height; y++)
        {
            // From the bottom up, blue first.
            Span<byte> row = bytes.AsSpan(header + stride * (picture.Height - 1 - y));
            for (int x = 0; x < picture.Width; x++)
            {
                Span<byte> pixel = picture.Row(y).Slice(3 * x, 3);
                (row[3 * x], row[3 * x + 1], row[3 * x + 2]) = (pixel[2], pixel[1], pixel[0]);
            }
        }
        return bytes;

        void Number(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), value);
    }
}
