using Atrous.Files;
using Atrous.Imaging;
using Atrous.Imaging.Formats;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Tests.Imaging.Maps;

/// <summary>TIFFs of any number of bands: which numbers the network gets, and where there are none.</summary>
public sealed class TiffRasterTests : IDisposable
{
    private const int Height = 37, Width = 29;

    private readonly Workplace _place = new();

    public static TheoryData<Type, int, bool, bool> Layouts
    {
        get
        {
            var layouts = new TheoryData<Type, int, bool, bool>();
            foreach (Type sample in new[] { typeof(byte), typeof(ushort), typeof(short), typeof(float) })
            {
                foreach ((bool tiled, bool apart) in
                    new[] { (false, false), (false, true), (true, false), (true, true) })
                {
                    layouts.Add(sample, 4, tiled, apart);
                    layouts.Add(sample, 13, tiled, apart);
                }
            }
            return layouts;
        }
    }

    /// <summary>Inputs that were at fault once.</summary>
    public static TheoryData<string> Faults => [.. Directory.GetFiles(Repository.PathOf("tests/fuzz/cases/map"))
        .Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public void Dispose() => _place.Dispose();

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Windows_have_the_file_s_numbers_in_any_order(Type sample, int bands, bool tiled, bool apart)
    {
        bool isSized = sample == typeof(byte) || sample == typeof(ushort);
        float largest = sample == typeof(byte) ? 255 : sample == typeof(ushort) ? 65535 : 1000;
        var file = new GeoTiffFile
        {
            Height = Height,
            Width = Width,
            Bands = bands,
            Sample = sample,
            IsTiled = tiled,
            IsSeparate = apart,
        };
        float[] samples = Noise(bands, largest, sample == typeof(float));
        file.Write(_place["a.tif"], samples);
        foreach (int[] chosen in new[] { [3, 1], Enumerable.Range(0, bands).ToArray() })
        {
            using var raster = new TiffRaster(_place["a.tif"], Reading(chosen.Length) with
            {
                Bands = [.. chosen.Select(band => band + 1)],
                White = isSized ? null : largest,
            });
            Assert.Equal((Height, Width), (raster.Height, raster.Width));
            foreach ((int top, int left) in new[] { (0, 0), (20, 3), (4, 9), (36 - 8, 28 - 15), (3, 1) })
            {
                using Image window = raster.Window(top, left, 9, 16);
                for (int i = 0; i < 9 * 16; i++)
                {
                    int pixel = (top + i / 16) * Width + left + i % 16;
                    for (int c = 0; c < chosen.Length; c++)
                    {
                        float expected = samples[pixel * bands + chosen[c]] * (255 / largest);
                        Assert.Equal(expected, window.Samples is { } floats
                            ? floats[i * chosen.Length + c]
                            : window.Pixels[i * chosen.Length + c]);
                    }
                }
            }
        }
    }

    [Fact]
    public void Pixels_without_data_are_nothing_to_the_network()
    {
        float[] samples = Noise(4, 200, isFloat: false);
        void Put(int pixel, params float[] values) => values.CopyTo(samples, 4 * pixel);
        Put(5, 9, 9, 9, 9);
        Put(6, 9, 9, 9, 8);
        Put(7, 9, 9, 9, 0);
        var file = new GeoTiffFile { Height = Height, Width = Width, Bands = 4, NoData = "9" };
        AssertMissing(file, samples, 4, null, [5]);
        // The fourth band is alpha, and only then.
        AssertMissing(file with { IsRgb = true, HasAlpha = true }, samples, 3, null, [5, 6, 7], (3, 0));
        AssertMissing(file with { IsRgb = true, NoData = null }, samples, 3, null, []);
        Put(8, float.NaN, 1, 1, 1);
        Put(9, 1, 1, float.PositiveInfinity, 1);
        Put(10, -9999, -9999, -9999, -9999);
        AssertMissing(file with { Sample = typeof(float), NoData = "-9999" }, samples, 4, 200, [8, 9, 10]);
    }

    /// <summary>GDAL leaves out strips and tiles without data: they are of no bytes, and no damage.</summary>
    [Theory]
    [InlineData(true, typeof(byte), "7")]
    [InlineData(true, typeof(float), "-9999")]
    [InlineData(false, typeof(short), "-5")]
    [InlineData(false, typeof(ushort), null)]
    public void What_the_file_leaves_out_has_no_data(bool isTiled, Type sample, string? noData)
    {
        float[] samples = [.. Noise(4, 200, isFloat: false).Select(value => value + 1)];
        new GeoTiffFile
        {
            Height = Height,
            Width = Width,
            Bands = 4,
            Sample = sample,
            IsTiled = isTiled,
            NoData = noData,
            LeftOut = [1, 2],
        }.Write(_place["a.tif"], samples);
        using var raster = new TiffRaster(_place["a.tif"], Reading(4) with { White = 255 });
        bool[] missing = new bool[Height * Width];
        raster.FindMissing(0, missing);
        using Image window = raster.Window(0, 0, Height, Width);
        for (int i = 0; i < missing.Length; i++)
        {
            (int y, int x) = (i / Width, i % Width);
            // Two tiles of 16 x 16 in a row, of which the second is cut, or strips of 7 rows.
            bool isLeftOut = isTiled ? y < 16 && x >= 16 || y is >= 16 and < 32 && x < 16 : y is >= 7 and < 21;
            Assert.Equal(isLeftOut && noData is not null, missing[i]);
            float first = window.Samples is { } all ? all[4 * i] : window.Pixels[4 * i];
            Assert.Equal(!isLeftOut ? samples[4 * i] : noData is null ? 0 : 77, first);
        }
    }

    /// <summary>Behind a smaller copy and that one's mask, which is no mask of the picture.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_mask_in_a_file_says_where_there_are_no_data(bool isTiled)
    {
        float[] samples = Noise(3, 255, isFloat: false);
        new GeoTiffFile
        {
            Height = Height,
            Width = Width,
            Bands = 3,
            IsTiled = isTiled,
            IsRgb = true,
            Mask = (y, x) => (y + x) % 3 != 0,
        }.Write(_place["a.tif"], samples);
        Assert.False(TiffFacts.Of(_place["a.tif"])!.IsOrdinary);
        using var raster = new TiffRaster(_place["a.tif"], Reading(3));
        Assert.True(raster.MayLackPixels);
        Assert.Equal((Height, Width), (raster.Height, raster.Width));
        bool[] missing = new bool[20 * Width];
        raster.FindMissing(9, missing);
        Assert.Equal(Enumerable.Range(0, missing.Length).Select(i => (9 + i / Width + i % Width) % 3 == 0), missing);
        using Image window = raster.Window(11, 5, 14, 20);
        for (int i = 0; i < 14 * 20; i++)
        {
            (int y, int x) = (11 + i / 20, 5 + i % 20);
            Assert.Equal((y + x) % 3 == 0 ? 77 : samples[3 * (y * Width + x)], window.Pixels[3 * i]);
        }
    }

    /// <summary>Of a mask that is damaged or claims more than there is: a picture or a sentence.</summary>
    [Fact]
    public void Damaged_masks_are_a_picture_or_a_sentence()
    {
        var file = new GeoTiffFile { Height = 20, Width = 18, Bands = 1, Mask = (y, x) => y > x };
        file.Write(_place["a.tif"], Noise(4, 200, isFloat: false)[..(20 * 18)]);
        byte[] sound = File.ReadAllBytes(_place["a.tif"]);
        int pictures = 0, sentences = 0;
        for (int i = sound.Length / 2; i < sound.Length; i++)
        {
            byte[] bytes = [.. sound];
            bytes[i] ^= (byte)(1 << i % 8);
            File.WriteAllBytes(_place["b.tif"], bytes);
            try
            {
                TiffFacts.Of(_place["b.tif"]);
                using var raster = new TiffRaster(_place["b.tif"], Reading(1) with { MaxPixels = 1 << 20 });
                raster.FindMissing(0, new bool[20 * 18]);
                pictures++;
            }
            catch (ImageException e)
            {
                Assert.False(PassingError.IsIn(e), e.ToString());
                sentences++;
            }
        }
        Assert.True(pictures > 20 && sentences > 20, $"{pictures} pictures, {sentences} sentences");
    }

    [Theory]
    [InlineData(4, false, 3, null, "say which they are")]
    [InlineData(3, false, 3, null, "which are red, green and blue")]
    [InlineData(2, false, 4, null, "send a picture of as many")]
    [InlineData(4, false, 3, "1,2", "2 bands are chosen")]
    [InlineData(4, false, 3, "1,2,5", "no band 5")]
    [InlineData(4, true, 4, null, "stands for white")]
    public void What_the_network_does_not_take_is_a_sentence(
        int bands, bool isFloat, int channels, string? chosen, string words)
    {
        var file = new GeoTiffFile
        {
            Height = Height,
            Width = Width,
            Bands = bands,
            Sample = isFloat ? typeof(float) : typeof(byte),
        };
        file.Write(_place["a.tif"], Noise(bands, 1, isFloat));
        RasterReading reading = Reading(channels) with { Bands = chosen?.Split(',').Select(int.Parse).ToArray() };
        string message = Assert.Throws<ImageException>(() => new TiffRaster(_place["a.tif"], reading)).Message;
        Assert.Contains(words, message);
        Assert.Contains("a.tif: ", message);
    }

    [Fact]
    public void Colours_are_taken_without_being_named()
    {
        float[] samples = Noise(5, 255, isFloat: false);
        new GeoTiffFile { Height = Height, Width = Width, Bands = 5, IsRgb = true }.Write(_place["a.tif"], samples);
        using var raster = new TiffRaster(_place["a.tif"], Reading(3));
        Assert.Contains("only the first 3", raster.Warning);
        using Image window = raster.Window(0, 0, Height, Width);
        using Image loaded = Image.Load(_place["a.tif"]);
        Assert.Equal(loaded.Pixels, window.Pixels);
    }

    [Theory]
    [InlineData(21, false)]
    [InlineData(21, true)]
    [InlineData(400, true)]
    public void A_mask_keeps_its_labels_and_its_place(int classes, bool isBig)
    {
        var file = new GeoTiffFile { Height = Height, Width = Width, Bands = 1, NoData = "0" };
        file.Write(_place["a.tif"], Noise(1, 200, isFloat: false));
        using var raster = new TiffRaster(_place["a.tif"], Reading(1));
        ushort[] labels = [.. Enumerable.Range(0, Height * Width).Select(i => (ushort)(i * 7 % classes))];
        using (FileStream stream = File.Create(_place["m.tif"]))
        {
            using var rows = new LabelTiff(
                stream, Height, Width, classes, Palette.Default, raster.Tags, classes - 1, isBig ? 0 : 1 << 20);
            rows.Write(labels.AsSpan(0, 30 * Width));
            rows.Write(labels.AsSpan(30 * Width));
            rows.End();
        }
        Assert.Equal(isBig ? 43 : 42, File.ReadAllBytes(_place["m.tif"])[2]);
        Assert.Equal(labels, LabelImage.Load(_place["m.tif"]).Labels.ToArray());
        Dictionary<int, byte[]> before = GeoTiffFile.TagsOf(_place["a.tif"]);
        Dictionary<int, byte[]> after = GeoTiffFile.TagsOf(_place["m.tif"]);
        foreach (int tag in new[] { 33550, 33922, 34735 })
            Assert.Equal(before[tag], after[tag]);
        Assert.Equal($"{classes - 1}\0", System.Text.Encoding.ASCII.GetString(after[42113]));
    }

    /// <summary>Every byte of a file changed, and files cut off anywhere: a picture or a sentence.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Damaged_files_are_a_picture_or_a_sentence(bool isTiled)
    {
        var file = new GeoTiffFile { Height = 20, Width = 18, Bands = 4, IsTiled = isTiled, NoData = "9" };
        file.Write(_place["a.tif"], Noise(4, 200, isFloat: false)[..(20 * 18 * 4)]);
        byte[] sound = File.ReadAllBytes(_place["a.tif"]);
        int pictures = 0, sentences = 0;
        for (int i = 0; i < 2 * sound.Length; i += i < 64 ? 1 : 3)
        {
            byte[] bytes = i < sound.Length ? [.. sound] : sound[..(i - sound.Length)];
            if (i < sound.Length)
                bytes[i] ^= (byte)(1 << i % 8);
            File.WriteAllBytes(_place["b.tif"], bytes);
            TiffFacts.Of(_place["b.tif"]);
            try
            {
                using var raster = new TiffRaster(_place["b.tif"], Reading(4) with { MaxPixels = 1 << 20 });
                using Image window = raster.Window(0, 0, Math.Min(raster.Height, 64), Math.Min(raster.Width, 64));
                raster.FindMissing(0, new bool[raster.Width]);
                raster.Reference?.PixelArea(0);
                pictures++;
            }
            catch (ImageException e)
            {
                Assert.Contains("b.tif: ", e.Message);
                Assert.False(PassingError.IsIn(e), e.ToString());
                sentences++;
            }
        }
        Assert.True(pictures > 100 && sentences > 100, $"{pictures} pictures, {sentences} sentences");
    }

    /// <summary>Wherever a disk or network fails, that is what is said, and not that the file is damaged.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public void What_was_at_fault_once_is_a_picture_or_a_sentence(string file)
    {
        try
        {
            using var raster = new TiffRaster(
                Repository.PathOf($"tests/fuzz/cases/map/{file}"), Reading(3) with { Bands = [1] });
            raster.Window(0, 0, raster.Height, raster.Width).Dispose();
            raster.FindMissing(0, new bool[raster.Width]);
        }
        catch (ImageException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    [Fact]
    public void A_file_that_fails_once_is_not_called_damaged()
    {
        var file = new GeoTiffFile { Height = 20, Width = 18, Bands = 4, IsTiled = true, NoData = "9" };
        file.Write(_place["a.tif"], Noise(4, 200, isFloat: false)[..(20 * 18 * 4)]);
        var stream = new FailingStream(File.ReadAllBytes(_place["a.tif"]));
        ushort[] sound = Read(), again = [];
        int reads = stream.Reads;
        Assert.True(reads > 8);
        for (int i = 0; i < reads; i++)
        {
            stream.FailIn(i);
            Exception error = Assert.ThrowsAny<Exception>(() => again = Read());
            Assert.True(PassingError.IsIn(error), $"read {i}: {error}");
            again = Read();
            Assert.Equal(sound, again);
        }

        ushort[] Read()
        {
            using var reader = new TiffReader(new TiffOnStream(stream), 1 << 20, allowsAnyNumber: true);
            GeoTags.Of(reader);
            ushort[] samples = new ushort[20 * 18 * 4];
            reader.ReadWindow(0, 0, 20, 18, samples);
            return samples;
        }
    }

    /// <summary>What is no trouble of a disk: a file cut off or damaged, or none at all.</summary>
    [Fact]
    public void A_broken_file_stays_broken()
    {
        Assert.False(PassingError.IsIn(Assert.Throws<ImageException>(() => Image.Load(_place["none.png"]))));
        Assert.False(PassingError.IsIn(Assert.Throws<ImageException>(() => Image.Load("/dev/zero"))));
        Assert.False(PassingError.IsIn(Assert.Throws<ImageException>(() => Image.Load(_place.Folder))));
        Assert.False(PassingError.IsIn(new ImageException("cut off", new EndOfStreamException())));
        Assert.True(PassingError.IsIn(new ImageException("unread", new IOException("Input/output error"))));
    }

    private static RasterReading Reading(int channels) => new()
    {
        Channels = channels,
        Nothing = count => [.. Enumerable.Repeat(77f, count)],
    };

    /// <summary>Samples that a byte holds exactly, so that nothing depends on rounding.</summary>
    private static float[] Noise(int bands, float largest, bool isFloat)
    {
        var random = new Random(bands);
        return
        [
            .. Enumerable.Range(0, Height * Width * bands).Select(
                _ => isFloat ? random.NextSingle() * largest : random.Next((int)largest + 1)),
        ];
    }

    private void AssertMissing(
        GeoTiffFile file, float[] samples, int channels, double? white, int[] expected,
        params (int Band, float Value)[] alsoMissing)
    {
        file.Write(_place["a.tif"], samples);
        using var raster = new TiffRaster(_place["a.tif"], Reading(channels) with { White = white });
        bool[] missing = new bool[2 * Width];
        raster.FindMissing(0, missing);
        int[] all =
        [
            .. Enumerable.Range(0, 2 * Width).Where(pixel => expected.Contains(pixel)
                || alsoMissing.Any(rule => samples[4 * pixel + rule.Band] == rule.Value)),
        ];
        Assert.Equal(all, Enumerable.Range(0, missing.Length).Where(pixel => missing[pixel]));
        using Image window = raster.Window(0, 0, 2, Width);
        foreach (int pixel in all)
            Assert.Equal(77, Assert.Single(window.Row(pixel / Width).Slice(pixel % Width * window.Channels,
                window.Channels).ToArray().Distinct()));
    }
}
