using Atrous.Imaging;
using Atrous.Tests.Support;

namespace Atrous.Tests.Imaging;

/// <summary>Files as cameras and programs write them: turned in many ways, and without their ends.</summary>
public class PictureVariantsTests
{
    /// <summary>A WebP of two pictures, 4x3, by Pillow.</summary>
    private const string TwoFrames =
        "UklGRogAAABXRUJQVlA4WAoAAAACAAAAAwAAAgAAQU5JTQYAAAAAAAAAAABBTk1GKgAAAAAAAAAAAAMAAAIAAAAAAAJWUDhM"
        + "EQAAAC8DgAAAB1CEJvSg/4GI6H8AAEFOTUYqAAAAAAAAAAAAAwAAAgAAAAAAAFZQOEwRAAAALwOAAAAHUIQi96D/gYjofwAA";

    private const int Long = 4;

    public static TheoryData<string> WholeTypes => ["II 3", "II 4", "MM 3", "MM 4", "II 8", "MM 9"];

    [Theory]
    [MemberData(nameof(WholeTypes))]
    public void A_png_is_turned_by_its_exif_before_or_behind_the_pixels(string written)
    {
        foreach (string file in new[] { "rgb8.png", "grey8.png", "palette8_trns.png" })
        {
            byte[] plain = ImageFixtures.BytesOf(file);
            using Image stored = Image.Load(plain);
            foreach (int at in new[] { PngFile.StartOfPixels(plain), PngFile.EndOfPixels(plain) })
            {
                for (int orientation = 1; orientation <= 8; orientation++)
                {
                    byte[] turned = PngFile.With(plain, at, "eXIf", Exif(written, orientation));
                    using Image upright = Image.Load(turned);
                    AssertTurned(stored, upright, orientation);
                    ImageInfo header = Image.Probe(turned);
                    Assert.Equal((upright.Height, upright.Width), (header.Height, header.Width));
                    Assert.Null(upright.Warning);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(WholeTypes))]
    public void A_jpeg_is_turned_by_an_orientation_of_any_whole_type(string written)
    {
        byte[] plain = ImageFixtures.BytesOf("rgb420.jpg");
        using Image stored = Image.Load(plain);
        byte[] exif = [.. "Exif\0\0"u8, .. Exif(written, 6)];
        byte[] turned = [0xFF, 0xD8, 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. plain[2..]];
        using Image upright = Image.Load(turned);
        AssertTurned(stored, upright, 6);
    }

    [Fact]
    public void Pictures_that_lack_their_end_alone_are_read_with_a_warning()
    {
        foreach (string file in new[] { "rgb8.png", "rgb420.jpg", "progressive.jpg", "grey16.png" })
        {
            byte[] whole = ImageFixtures.BytesOf(file);
            int end = file.EndsWith(".jpg") ? whole.Length - 2 : PngFile.EndOfPixels(whole);
            using Image sound = Image.Load(whole), cut = Image.Load(whole.AsSpan(0, end));
            Assert.Null(sound.Warning);
            Assert.Contains("stops before its end mark", cut.Warning);
            Assert.Equal(sound.Pixels, cut.Pixels);
        }
    }

    /// <summary>Who sends an animation may expect a mask of more than its first picture.</summary>
    [Theory]
    [InlineData("gif")]
    [InlineData("webp")]
    [InlineData("png")]
    public void The_first_picture_of_an_animation_is_read_and_said_to_be(string kind)
    {
        byte[] still = ImageFixtures.BytesOf("rgb8.png");
        byte[] file = kind switch
        {
            "gif" => File.ReadAllBytes(
                Repository.PathOf("tests/Atrous.Tests/Imaging/pictures/gif_frames.gif")),
            "webp" => Convert.FromBase64String(TwoFrames),
            _ => PngFile.With(still, PngFile.StartOfPixels(still), "acTL", [0, 0, 0, 2, 0, 0, 0, 0]),
        };
        using Image picture = Image.Load(file);
        Assert.Equal("The file is an animation; its first picture is read.", picture.Warning);
        using Image alone = Image.Load(PngFile.With(
            still, PngFile.StartOfPixels(still), "acTL", [0, 0, 0, 1, 0, 0, 0, 0]));
        Assert.Null(alone.Warning);
    }

    [Theory]
    [InlineData("no_iend.png")]
    [InlineData("no_eoi.jpg")]
    [InlineData("png_exif6.png")]
    public void Pictures_that_people_sent_are_read(string file)
    {
        string path = Path.Combine(Shared.Require("cases/13-pictures"), file);
        using Image picture = Image.Load(path);
        bool turned = file.Contains("exif");
        Assert.Equal(turned ? (256, 160) : (160, 256), (picture.Height, picture.Width));
        Assert.Equal(!turned, picture.Warning is not null);
    }

    private static void AssertTurned(Image stored, Image upright, int orientation)
    {
        (int height, int width) = (stored.Height, stored.Width);
        bool sideways = orientation >= 5;
        Assert.Equal(sideways ? (width, height) : (height, width), (upright.Height, upright.Width));
        for (int y = 0; y < upright.Height; y++)
        {
            for (int x = 0; x < upright.Width; x++)
            {
                (int row, int column) = orientation switch
                {
                    2 => (y, width - 1 - x),
                    3 => (height - 1 - y, width - 1 - x),
                    4 => (height - 1 - y, x),
                    5 => (x, y),
                    6 => (height - 1 - x, y),
                    7 => (height - 1 - x, width - 1 - y),
                    8 => (x, width - 1 - y),
                    _ => (y, x),
                };
                int channels = stored.Channels;
                Assert.Equal(
                    stored.Row(row).Slice(column * channels, channels), upright.Row(y).Slice(x * channels, channels));
            }
        }
    }

    /// <summary>A TIFF structure with an orientation, in this order of bytes and of this type.</summary>
    private static byte[] Exif(string written, int orientation)
    {
        bool big = written[0] == 'M';
        int type = written[3] - '0', bytes = type is Long or 9 ? 4 : 2;
        return
        [
            .. big ? "MM"u8 : "II"u8, .. Number(42, 2), .. Number(8, 4), .. Number(1, 2), .. Number(0x0112, 2),
            .. Number(type, 2), .. Number(1, 4), .. Number(orientation, bytes), .. new byte[4 - bytes], .. new byte[4],
        ];

        byte[] Number(int value, int size)
        {
            byte[] little = BitConverter.GetBytes(value)[..size];
            return big ? [.. little.Reverse()] : little;
        }
    }
}
