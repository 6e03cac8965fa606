using Atrous.Imaging.Formats;

namespace Atrous.Tests.Imaging;

public sealed class TurningTests
{
    private static readonly byte[] Block =
    [
        (byte)'E', (byte)'x', (byte)'i', (byte)'f', 0, 0, (byte)'I', (byte)'I', (byte)'*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1,
        3, 0, 1, 0, 0, 0, 6, 0, 0, 0,
    ];

    [Fact]
    public void Exif_of_any_size_is_harmless()
    {
        Assert.Equal(6, Turning.OfExif(Block));
        Assert.Equal(6, Turning.OfExif(Block.AsSpan(6))); // as a PNG has it
        for (int size = 0; size < Block.Length; size++)
            Assert.Equal(1, Turning.OfExif(Block.AsSpan(0, size)));
        var random = new Random(31);
        for (int round = 0; round < 20000; round++)
        {
            byte[] damaged = [.. Block];
            for (int i = 0; i < 3; i++)
                damaged[6 + random.Next(damaged.Length - 6)] = (byte)random.Next();
            Assert.InRange(Turning.OfExif(damaged), 1, 8);
        }
    }

    [Theory]
    [InlineData(3, 1, 8, 8)]
    [InlineData(4, 1, 8, 8)]
    [InlineData(8, 1, 8, 8)]
    [InlineData(9, 1, 8, 8)]
    [InlineData(3, 2, 8, 1)] // two values
    [InlineData(3, 1, 9, 1)] // no orientation
    [InlineData(5, 1, 8, 1)] // no whole number
    public void An_orientation_is_one_whole_number(byte type, byte count, byte value, int expected)
    {
        byte[] block = [.. Block];
        (block[18], block[20], block[24]) = (type, count, value);
        Assert.Equal(expected, Turning.OfExif(block));
    }
}
