using System.Security.Cryptography;
using System.Text.Json;
using Atrous.Imaging;
using Atrous.Imaging.Formats;
using Atrous.Postprocessing;
using Atrous.Tests.Support;

namespace Atrous.Tests.Imaging;

/// <summary>
/// Pictures of all formats, depths and orientations, and broken ones: Pillow's result and ours are one. Where they are
/// not, pictures/table.json says why, and what the file holds (pictures/make.py made both).
/// </summary>
public class PictureTableTests
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = true };
    private static readonly Lazy<Dictionary<string, Row>> Table = new(() =>
        JsonSerializer.Deserialize<Dictionary<string, Row>>(File.ReadAllText(PathOf("table.json")), Json)!);

    public static TheoryData<string> Files => [.. Table.Value.Keys];

    [Fact]
    public void The_table_has_sixty_files() => Assert.True(Table.Value.Count >= 60);

    [Theory]
    [MemberData(nameof(Files))]
    public void A_picture_is_read_as_Pillow_reads_it(string file)
    {
        Row expected = Table.Value[file];
        if (expected.Refused)
        {
            string message = Assert.Throws<ImageException>(() => Image.Load(PathOf(file))).Message;
            Assert.StartsWith(PathOf(file), message);
            Assert.EndsWith(".", message);
            return;
        }
        using Image picture = Image.Load(PathOf(file));
        using Image rgb = picture.WithChannels(3);
        Assert.Equal((expected.Height, expected.Width), (picture.Height, picture.Width));
        Assert.Equal(expected.Rgb, Convert.ToHexStringLower(SHA256.HashData(rgb.Pixels)));
        ImageInfo header = Image.Probe(PathOf(file));
        Assert.Equal((picture.Height, picture.Width, picture.Channels), (header.Height, header.Width, header.Channels));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void The_limit_holds_for_every_format(string file)
    {
        Row expected = Table.Value[file];
        long pixels = (long)expected.Height * expected.Width;
        if (pixels > 1)
        {
            Assert.Contains(
                "more than the limit of",
                Assert.Throws<ImageException>(() => Image.Load(PathOf(file), pixels - 1)).Message);
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Damage_is_refused_or_survived(string file)
    {
        byte[] whole = File.ReadAllBytes(PathOf(file));
        var random = new Random(15);
        for (int round = 0; whole.Length > 0 && round < 40; round++)
        {
            byte[] damaged = [.. whole.AsSpan(0, round % 2 == 0 ? whole.Length : random.Next(whole.Length))];
            for (int flips = random.Next(1, 4); flips > 0 && damaged.Length > 0; flips--)
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            ImageFixtures.Decodes(damaged);
        }
    }

    [Theory]
    [InlineData("tiff_tiff_lzw.tif")]
    [InlineData("tiff_jpeg.tif")]
    [InlineData("tiff_rgba.tif")]
    public unsafe void A_window_of_a_tiff_is_that_of_the_picture(string file)
    {
        using Image picture = Image.Load(PathOf(file));
        byte[] bytes = File.ReadAllBytes(PathOf(file));
        fixed (byte* start = bytes)
        {
            using var reader = new TiffReader(new FileBytes(start, bytes.Length), 1 << 20);
            foreach ((int top, int left, int height, int width) in
                new[] { (0, 0, 5, 7), (9, 3, 20, 11), (36, 52, 1, 1) })
            {
                var samples = new ushort[height * width * reader.Bands];
                reader.ReadWindow(top, left, height, width, samples);
                for (int y = 0; y < height; y++)
                {
                    for (int x = 0; x < width; x++)
                    {
                        for (int c = 0; c < 3; c++)
                        {
                            Assert.Equal(
                                picture.Row(top + y)[3 * (left + x) + c],
                                samples[(y * width + x) * reader.Bands + c]);
                        }
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("tiff_palette.tif", "gif_palette.gif")]
    public void A_palette_tiff_is_a_label_map(string file, string colours)
    {
        LabelImage map = LabelImage.Load(PathOf(file));
        using Image picture = Image.Load(PathOf(colours));
        Assert.Equal((picture.Height, picture.Width), (map.Height, map.Width));
        // The same index has the same colour everywhere, and other indexes have others.
        var seen = new Dictionary<ushort, (byte, byte, byte)>();
        for (int i = 0; i < map.Labels.Length; i++)
        {
            Span<byte> pixel = picture.Row(i / map.Width).Slice(3 * (i % map.Width), 3);
            (byte, byte, byte) colour = (pixel[0], pixel[1], pixel[2]);
            Assert.Equal(colour, seen.TryGetValue(map.Labels[i], out (byte, byte, byte) before) ? before : colour);
            seen[map.Labels[i]] = colour;
        }
        Assert.True(seen.Count > 20);
        Assert.Contains(
            "holds colours",
            Assert.Throws<ImageException>(() => LabelImage.Load(PathOf("tiff_raw.tif"))).Message);
    }

    [Theory]
    [InlineData("bmp_grey.bmp")]
    [InlineData("bmp_1bit.bmp")]
    public void A_grey_bmp_is_a_label_map_and_one_of_colours_is_none(string file)
    {
        LabelImage map = LabelImage.Load(PathOf(file));
        using Image picture = Image.Load(PathOf(file));
        for (int i = 0; i < map.Labels.Length; i++)
            Assert.Equal(picture.Row(i / map.Width)[picture.Channels * (i % map.Width)], map.Labels[i]);
        foreach (string colours in new[] { "bmp_rgb.bmp", "gif_palette.gif" })
            Assert.Contains(
                "holds colours",
                Assert.Throws<ImageException>(() => LabelImage.Load(PathOf(colours))).Message);
    }

    private static string PathOf(string name) =>
        Repository.PathOf(Path.Combine("tests", "Atrous.Tests", "Imaging", "pictures", name));

    private sealed record Row(int Height, int Width, string? Rgb, bool Refused = false);
}
