using System.Runtime.InteropServices;
using Atrous.Imaging;
using Atrous.Postprocessing;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Tests.Imaging;

/// <summary>TIFFs of all layouts, as other programs write them: strips and tiles, planes together and apart.</summary>
public sealed class TiffTests : IDisposable
{
    private const int Height = 41, Width = 53, Tile = 16;

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-tests-").FullName;

    public static TheoryData<int, int, bool, bool, Compression> Layouts
    {
        get
        {
            var layouts = new TheoryData<int, int, bool, bool, Compression>();
            foreach (Compression packing in new[]
                { Compression.NONE, Compression.LZW, Compression.ADOBE_DEFLATE, Compression.PACKBITS })
            {
                foreach (int depth in new[] { 8, 16 })
                {
                    foreach ((bool tiled, bool apart) in
                        new[] { (false, false), (false, true), (true, false), (true, true) })
                    {
                        foreach (int bands in new[] { 1, 3, 4 })
                            layouts.Add(depth, bands, tiled, apart, packing);
                    }
                }
            }
            return layouts;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Layouts))]
    public void A_layout_is_read(int depth, int bands, bool tiled, bool apart, Compression packing)
    {
        ushort[] samples = Noise(depth, bands);
        string path = Written(samples, depth, bands, tiled, apart, packing);
        using Image picture = Image.Load(path);
        int channels = Math.Min(bands, 3);
        Assert.Equal((Height, Width, channels), (picture.Height, picture.Width, picture.Channels));
        Assert.Equal(depth == 16, picture.Lower is not null);
        for (int i = 0; i < Height * Width; i++)
        {
            for (int c = 0; c < channels; c++)
            {
                int got = picture.Pixels[i * channels + c];
                if (picture.Lower is { } lower)
                    got = got << 8 | lower.Pixels[i * channels + c];
                Assert.Equal(samples[i * bands + c], got);
            }
        }
        if (bands == 4)
            Assert.Contains("4 bands", picture.Warning);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Jpeg_inside_is_near(bool tiled)
    {
        ushort[] samples = [.. Enumerable.Range(0, Height * Width * 3).Select(i => (ushort)(i / 3 % Width * 4))];
        using Image picture = Image.Load(Written(samples, 8, 3, tiled, false, Compression.JPEG));
        for (int i = 0; i < samples.Length; i++)
            Assert.InRange(picture.Pixels[i] - samples[i], -8, 8);
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(16, false)]
    public void Grey_of_any_layout_is_a_label_map(int depth, bool tiled)
    {
        ushort[] samples = Noise(depth, 1);
        LabelImage map = LabelImage.Load(Written(samples, depth, 1, tiled, false, Compression.LZW));
        Assert.Equal(samples, map.Labels.ToArray());
    }

    [Theory]
    [InlineData(0x10000000, 1, 1, 1)] // 268 million strips
    [InlineData(4_000_000, 1, 1, 1)]
    [InlineData(2000, 2000, 1, 0x10000000)] // as many places of strips
    public void What_a_directory_claims_and_no_file_can_hold_takes_no_memory(
        int height, int width, int perStrip, int places)
    {
        byte[] file = Hostile(height, width, perStrip, bands: 1, places);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<ImageException>(() => Image.Probe(file));
        Assert.Contains("claims more than the file holds", e.Message);
        Assert.Throws<ImageException>(() => Image.Load(file, maxPixels: int.MaxValue / 4));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_strip_of_more_than_a_picture_needs_is_refused_before_it_is_unpacked()
    {
        byte[] file = Hostile(2000, 2000, perStrip: 2000, bands: 64, places: 1, packing: (int)Compression.LZW);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<ImageException>(() => Image.Load(file));
        Assert.Contains("a strip or tile of it takes 244 MiB", e.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Probing_unpacks_nothing()
    {
        byte[] file = Hostile(8000, 8000, perStrip: 8000, bands: 1, places: 1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(8000, Image.Probe(file).Height);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    /// <summary>A directory of grey bytes, and 64 bytes of data.</summary>
    private static byte[] Hostile(int height, int width, int perStrip, int bands, int places, int packing = 1)
    {
        (ushort Tag, ushort Type, int Count, int Value)[] entries =
        [
            (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, packing),
            (262, 3, 1, bands == 1 ? 1 : 2), (273, 4, places, 8), (277, 3, 1, bands),
            (278, 4, 1, perStrip), (279, 4, places, 64),
        ];
        var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write("II*\0"u8);
        writer.Write(8);
        writer.Write((ushort)entries.Length);
        foreach ((ushort tag, ushort type, int count, int value) in entries)
        {
            writer.Write(tag);
            writer.Write(type);
            writer.Write(count);
            writer.Write(value);
        }
        writer.Write(new byte[4 + 64]);
        return file.ToArray();
    }

    private static ushort[] Noise(int depth, int bands)
    {
        var samples = new ushort[Height * Width * bands];
        new Random(depth + bands).NextBytes(MemoryMarshal.AsBytes(samples.AsSpan()));
        return depth == 16 ? samples : [.. samples.Select(sample => (ushort)(sample & 0xFF))];
    }

    private string Written(ushort[] samples, int depth, int bands, bool tiled, bool apart, Compression packing)
    {
        string path = Path.Combine(_folder, $"{Guid.NewGuid():N}.tif");
        using Tiff tiff = Tiff.Open(path, "w");
        tiff.SetField(TiffTag.IMAGELENGTH, Height);
        tiff.SetField(TiffTag.IMAGEWIDTH, Width);
        tiff.SetField(TiffTag.BITSPERSAMPLE, depth);
        tiff.SetField(TiffTag.SAMPLESPERPIXEL, bands);
        tiff.SetField(TiffTag.PHOTOMETRIC, bands == 1 ? Photometric.MINISBLACK : Photometric.RGB);
        tiff.SetField(TiffTag.PLANARCONFIG, apart ? PlanarConfig.SEPARATE : PlanarConfig.CONTIG);
        tiff.SetField(TiffTag.COMPRESSION, packing);
        if (bands == 4)
            tiff.SetField(TiffTag.EXTRASAMPLES, 1, new short[] { (short)ExtraSample.UNSPECIFIED });
        if (tiled)
        {
            tiff.SetField(TiffTag.TILELENGTH, Tile);
            tiff.SetField(TiffTag.TILEWIDTH, Tile);
        }
        else
        {
            tiff.SetField(TiffTag.ROWSPERSTRIP, Tile);
        }
        int blockWidth = tiled ? Tile : Width, inBlock = apart ? 1 : bands, number = 0;
        for (int plane = 0; plane < (apart ? bands : 1); plane++)
        {
            for (int top = 0; top < Height; top += Tile)
            {
                for (int left = 0; left < Width; left += blockWidth, number++)
                {
                    int rows = tiled ? Tile : Math.Min(Tile, Height - top);
                    byte[] block = new byte[rows * blockWidth * inBlock * depth / 8];
                    for (int y = 0; y < rows; y++)
                    {
                        for (int x = 0; x < blockWidth; x++)
                        {
                            for (int c = 0; c < inBlock; c++)
                            {
                                // Beyond the picture its edge goes on, so that JPEG does not ring.
                                int pixel = Math.Min(top + y, Height - 1) * Width + Math.Min(left + x, Width - 1);
                                ushort sample = samples[pixel * bands + plane + c];
                                int at = (y * blockWidth + x) * inBlock + c;
                                if (depth == 8)
                                    block[at] = (byte)sample;
                                else
                                    BitConverter.TryWriteBytes(block.AsSpan(2 * at), sample);
                            }
                        }
                    }
                    int written = tiled
                        ? tiff.WriteEncodedTile(number, block, block.Length)
                        : tiff.WriteEncodedStrip(number, block, block.Length);
                    Assert.Equal(block.Length, written);
                }
            }
        }
        return path;
    }
}
