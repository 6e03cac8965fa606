using System.Buffers.Binary;
using Atrous.Imaging;
using Atrous.Native;
using Atrous.Postprocessing;
using Atrous.Tests.Imaging;

namespace Atrous.Tests.Postprocessing;

/// <summary>Label maps of every PNG kind as the numbers in the file, not as colours.</summary>
public sealed class LabelImageTests
{
    [Theory]
    [InlineData("grey1.png", 1)]
    [InlineData("grey1_interlaced.png", 1)]
    [InlineData("grey2.png", 3)]
    [InlineData("grey2_interlaced.png", 3)]
    [InlineData("grey4.png", 15)]
    [InlineData("grey4_interlaced.png", 15)]
    [InlineData("grey8.png", 255)]
    [InlineData("grey8_interlaced.png", 255)]
    public void Grey_is_not_scaled(string name, int highest)
    {
        LabelImage labels = LabelImage.Load(ImageFixtures.PathOf(name));
        ExpectedImage scaled = ImageFixtures.Expected.Decoded[name];
        Assert.Equal((scaled.Height, scaled.Width), (labels.Height, labels.Width));
        Assert.Equal(scaled.Pixels.Select(value => (ushort)(value * highest / 255)), labels.Labels.ToArray());
    }

    [Theory]
    [InlineData("palette1.png")]
    [InlineData("palette2.png")]
    [InlineData("palette4.png")]
    [InlineData("palette8.png")]
    public void A_palette_gives_its_indexes(string name)
    {
        LabelImage labels = LabelImage.Load(ImageFixtures.PathOf(name));
        byte[] colours = Palette(name);
        byte[] painted = [.. labels.Labels.ToArray().SelectMany(label => colours.AsSpan(3 * label, 3).ToArray())];
        Assert.Equal(ImageFixtures.Expected.Decoded[name].Pixels, painted);
        Assert.True(labels.Labels.ToArray().Distinct().Count() > 1);
    }

    [Fact]
    public void Transparency_is_no_part_of_a_label()
    {
        Assert.Equal(Load("palette8.png"), Load("palette8_trns.png"));
        Assert.Equal(Load("grey8.png"), Load("grey8_trns.png"));

        static ushort[] Load(string name) => LabelImage.Load(ImageFixtures.PathOf(name)).Labels.ToArray();
    }

    [Fact]
    public void Sixteen_bits_are_kept()
    {
        ushort[] labels = LabelImage.Load(ImageFixtures.PathOf("grey16.png")).Labels.ToArray();
        Assert.Equal(ImageFixtures.Expected.Decoded["grey16.png"].Pixels, labels.Select(label => (byte)(label >> 8)));
        Assert.Contains(labels, label => (byte)label != label >> 8);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(21)]
    [InlineData(256)]
    [InlineData(60000)]
    public void What_is_saved_comes_back(int classes)
    {
        ushort[] labels = [.. Enumerable.Range(0, 35).Select(i => (ushort)(i * 7919 % classes))];
        string path = Path.Combine(Directory.CreateTempSubdirectory("atrous-tests-").FullName, "labels.png");
        try
        {
            LabelPng.Save(path, labels, 5, 7, classes);
            LabelImage read = LabelImage.Load(path);
            Assert.Equal((5, 7), (read.Height, read.Width));
            Assert.Equal(labels, read.Labels.ToArray());
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [Theory]
    [InlineData("rgb8.png", "colours")]
    [InlineData("rgba16.png", "colours")]
    [InlineData("grey_alpha8.png", "grey and alpha")]
    [InlineData("grey.jpg", "JPEG")]
    [InlineData("no such file.png", "no such file")]
    public void What_is_no_label_map_is_refused_and_leaves_nothing(string name, string part)
    {
        long handles = LibAtrous.LiveHandles();
        ImageException refused = Assert.Throws<ImageException>(() => LabelImage.Load(ImageFixtures.PathOf(name)));
        Assert.Contains(part, refused.Message);
        Assert.Contains(name, refused.Message);
        Assert.Throws<ImageException>(() => LabelImage.Load(ImageFixtures.PathOf("grey8.png"), maxPixels: 5));
        Assert.Equal(handles, LibAtrous.LiveHandles());
    }

    private static byte[] Palette(string name)
    {
        ReadOnlySpan<byte> file = ImageFixtures.BytesOf(name);
        int at = file.IndexOf("PLTE"u8);
        return file.Slice(at + 4, BinaryPrimitives.ReadInt32BigEndian(file[(at - 4)..])).ToArray();
    }
}
