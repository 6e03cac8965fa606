using System.Buffers.Binary;
using Atrous.Imaging;
using Atrous.Imaging.Formats;

namespace Atrous.Tests.Imaging;

public class DecodeTests
{
    public static TheoryData<string> Files => ImageFixtures.Files;

    [Theory]
    [MemberData(nameof(Files))]
    public void Decodes_as_Pillow_does(string file)
    {
        using Image image = Image.Load(ImageFixtures.PathOf(file));
        ImageFixtures.AssertEqual(ImageFixtures.Expected.Decoded[file], image);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Probe_promises_what_decoding_gives(string file)
    {
        ExpectedImage expected = ImageFixtures.Expected.Decoded[file];
        ImageFormat format = file.EndsWith(".png") ? ImageFormat.Png : ImageFormat.Jpeg;
        Assert.Equal(
            new ImageInfo(expected.Height, expected.Width, expected.Channels, format),
            Image.Probe(ImageFixtures.PathOf(file)));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_truncated_file_is_refused_at_every_length_that_lacks_pixels(string file)
    {
        byte[] whole = ImageFixtures.BytesOf(file);
        // Arithmetic coding goes on with zeros where bytes are missing, so that only the end mark shows that none is.
        int pixels = file == "arithmetic.jpg" ? whole.Length
            : file.EndsWith(".jpg") ? whole.Length - 2 : PngFile.EndOfPixels(whole);
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.True(
                ImageFixtures.Decodes(whole.AsSpan(0, length)) == length >= pixels,
                $"{length} of {whole.Length} bytes");
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Damage_is_refused_or_survived(string file)
    {
        byte[] whole = ImageFixtures.BytesOf(file);
        var random = new Random(20);
        int refused = 0;
        for (int round = 0; round < 300; round++)
        {
            byte[] damaged = [.. whole];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            if (!ImageFixtures.Decodes(damaged))
                refused++;
        }
        // Every chunk of a PNG has a checksum, so that no damage passes; most of a JPEG has none.
        Assert.True(file.EndsWith(".png") ? refused > 290 : refused > 10, $"{refused} of 300 refused");
    }

    [Fact]
    public void A_flipped_bit_of_a_png_never_passes()
    {
        byte[] whole = ImageFixtures.BytesOf("palette8_trns.png");
        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] damaged = [.. whole];
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.False(ImageFixtures.Decodes(damaged), $"bit {bit} made no difference");
        }
    }

    [Fact]
    public void A_header_that_claims_too_much_is_refused_before_anything_is_allocated()
    {
        // More pixels than a process has addresses for: who asked for their memory would be told OutOfMemoryException.
        byte[] claim = HugePng.Bytes(1 << 30, 1 << 30);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<ImageException>(() => Image.Load(claim));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Contains("1073741824 x 1073741824", e.Message);
    }

    [Theory]
    [InlineData("rgb8.png")]
    [InlineData("progressive.jpg")]
    public void The_limit_is_the_last_size_that_passes(string file)
    {
        ExpectedImage expected = ImageFixtures.Expected.Decoded[file];
        long pixels = expected.Width * expected.Height;
        Image.Load(ImageFixtures.BytesOf(file), pixels).Dispose();
        var e = Assert.Throws<ImageException>(() => Image.Load(ImageFixtures.BytesOf(file), pixels - 1));
        Assert.Contains($"limit of {pixels - 1}", e.Message);
    }

    [Fact]
    public void Sides_that_overflow_are_refused()
    {
        byte[] claim = ImageFixtures.BytesOf("rgb8.png");
        foreach (
            (uint width, uint height) in (
                (uint, uint)[])[(uint.MaxValue, uint.MaxValue), (0, 5), (5, 0), (1u << 31, 2)])
        {
            BinaryPrimitives.WriteUInt32BigEndian(claim.AsSpan(16), width);
            BinaryPrimitives.WriteUInt32BigEndian(claim.AsSpan(20), height);
            Assert.Throws<ImageException>(() => Image.Load(claim));
            Assert.Throws<ImageException>(() => Image.Probe(claim));
        }
    }

    /// <summary>
    /// Found by the soak: libpng made room for two rows of the length that the header claimed, 6 GB each. The soak
    /// still sends this file, and looks at the server's resident memory.
    /// </summary>
    [Fact]
    public void Probing_costs_no_memory_whatever_the_header_claims()
    {
        byte[] claim = HugePng.Bytes(int.MaxValue, int.MaxValue);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(new ImageInfo(int.MaxValue, int.MaxValue, 3, ImageFormat.Png), Image.Probe(claim));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_broken_orientation_leaves_the_picture_as_it_is()
    {
        byte[] file = ImageFixtures.BytesOf("orientation6.jpg");
        int exif = file.AsSpan().IndexOf("Exif"u8);
        using Image upright = Image.Load(ImageFixtures.BytesOf("orientation1.jpg"));
        // The first directory's offset points beyond the segment.
        file.AsSpan(exif + 10, 4).Fill(0xEE);
        using Image image = Image.Load(file);
        Assert.Equal(upright.Pixels.ToArray(), image.Pixels.ToArray());
    }

    /// <summary>A server counts them before it decodes.</summary>
    [Theory]
    [InlineData("rgb8.png", 1)]
    [InlineData("rgb16.png", 2)]
    [InlineData("rgb420.jpg", 1)]
    [InlineData("rgb444.jpg", 1)]
    [InlineData("grey.jpg", 1)]
    [InlineData("cmyk.jpg", 1)]
    [InlineData("progressive.jpg", 4)]
    public void Coefficients_of_a_progressive_jpeg_count(string name, int bytes) =>
        Assert.Equal(bytes, PictureDecoder.MostBytesPerChannel(ImageFixtures.BytesOf(name)));

    /// <summary>A component a scan: all of them are held too.</summary>
    [Fact]
    public void Those_of_a_jpeg_in_several_scans_count()
    {
        byte[] file = ImageFixtures.BytesOf("rgb444.jpg");
        int scan = file.AsSpan().IndexOf<byte>([0xFF, 0xDA]);
        Assert.Equal(3, file[scan + 4]);
        file[scan + 4] = 1;
        Assert.Equal(4, PictureDecoder.MostBytesPerChannel(file));
    }

    [Fact]
    public void A_jpeg_may_end_in_rubbish()
    {
        byte[] file = [.. ImageFixtures.BytesOf("rgb420.jpg"), 1, 2, 3, 4, 5];
        using Image image = Image.Load(file);
        ImageFixtures.AssertEqual(ImageFixtures.Expected.Decoded["rgb420.jpg"], image);
    }
}
