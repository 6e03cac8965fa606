using Atrous.Exporting;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Tensors;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Tests.Segmenters;

/// <summary>
/// Checkpoints of mmsegmentation with what they say of themselves, and the masks that its inference makes of a picture.
/// </summary>
public sealed class MmSegmentationFileTests : IDisposable
{
    private const string Folder = "cases/08-mmseg-meta-ignored/";

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("mg124", "mg124_ref")]
    [InlineData("scale", "scale_ref")]
    [InlineData("r18", "r18_ref")]
    [InlineData("r18b", "r18b_ref")]
    [InlineData("slide_1x", "slide_1x_ref")]
    [InlineData("hub_1x", "hub_1x_ref")]
    [InlineData("mobilenet_0x", "mobilenet_0x_ref")]
    [InlineData("resnest", "resnest_ref")]
    public void The_mask_is_the_original_s(string file, string reference)
    {
        foreach (string device in new[] { "cpu", "reference" })
        {
            using Segmenter segmenter = Segmenter.Load(Case(file), new SegmenterOptions { Device = device });
            AssertAgrees(0.999, reference, segmenter);
        }
    }

    [Fact]
    public void Switches_do_what_a_configuration_says()
    {
        // The picture's own size, though the file says 2048x512.
        using Segmenter native = Segmenter.Load(Case("scale"), Switches(("test_scale", "none")));
        AssertAgrees(0.999, "native_ref", native);
        using Segmenter plain = Segmenter.Load(
            Case("mg124"), Switches(("multi_grid", "none"), ("rates", "12,24,36")) with { OutputStride = 8 });
        Assert.NotEqual(16, plain.Info.OutputStride);
    }

    [Theory]
    [InlineData("mg124", "crack", "spall", "rust", "wet", "sound")]
    [InlineData("slide_1x", "crack", "spall", "rust")]
    [InlineData("hub_1x", "crack", "spall", "rust")]
    public void Classes_are_named_as_in_the_file(string file, params string[] names) =>
        Assert.Equal(names, ModelInfo.Read(Case(file)).ClassNames);

    [Fact]
    public void Classes_have_the_file_s_colours()
    {
        string mask = Path.Combine(_folder, "mask.png");
        Tool.Run("segment", Shared.Require("cases/01-one-class-mask/photo.png"), "-m", Case("hub_1x"), "-o", mask)
            .Exits(0);
        Assert.Equal(
            [new Rgb(10, 20, 30), new Rgb(200, 0, 0), new Rgb(0, 200, 0)],
            ModelInfo.Read(Case("hub_1x")).Palette!.Colours);
        // The palette is the file's PLTE chunk.
        byte[] png = File.ReadAllBytes(mask);
        int at = png.AsSpan().IndexOf("PLTE"u8);
        Assert.Equal([10, 20, 30, 200, 0, 0, 0, 200, 0], png[(at + 4)..(at + 13)]);
    }

    [Fact]
    public void A_converted_file_keeps_names_and_colours()
    {
        string converted = Path.Combine(_folder, "hub.safetensors");
        Tool.Run("convert", Case("hub_1x"), "-o", converted).Exits(0);
        ModelInfo before = ModelInfo.Read(Case("hub_1x")), after = ModelInfo.Read(converted);
        Assert.Equal(before.ClassNames, after.ClassNames);
        Assert.Equal(before.Palette!.Colours, after.Palette!.Colours);
    }

    [Fact]
    public void The_first_line_says_what_was_assumed_and_nothing_else()
    {
        string photo = Shared.Require("cases/01-one-class-mask/photo.png"), mask = Path.Combine(_folder, "mask.png");
        string First(string file) =>
            Tool.Run("segment", photo, "-m", Case(file), "-o", mask).Exits(0).ErrorLines[0];
        Assert.Contains(
            "assumed: output stride 8, contract_dilation=true, multi_grid=none, align_corners=false", First("r18"));
        Assert.DoesNotContain("assumed", First("slide_1x"));
        Assert.Contains("slide=96x128,64x80", Tool.Run("info", Case("slide_1x")).Exits(0).Output);
    }

    /// <summary>A window is the user's then, and the file's is not used.</summary>
    [Fact]
    public void A_window_of_the_user_s_goes_before_the_file_s()
    {
        using Image photo = Photo();
        using Segmenter tiled = Segmenter.Load(
            Case("slide_1x"), new SegmenterOptions { Device = "cpu", Window = new SlidingWindow(512) });
        using Segmenter whole = Segmenter.Load(
            Case("slide_1x"), Switches(("slide", "none"), ("test_scale", "none")));
        Assert.Equal(whole.Segment(photo).Labels.ToArray(), tiled.Segment(photo).Labels.ToArray());
    }

    [Fact]
    public void Probabilities_and_averages_slide_as_masks_do()
    {
        using Image photo = Photo();
        using Segmenter plain = Segmenter.Load(Case("slide_1x"), new SegmenterOptions { Device = "cpu" });
        using Segmenter averaged = Segmenter.Load(
            Case("slide_1x"), new SegmenterOptions
            {
                Device = "cpu",
                Augmentation = new TestTimeAugmentation([1], false),
            });
        ushort[] expected = plain.Segment(photo).Labels.ToArray();
        Assert.Equal(expected, averaged.Segment(photo).Labels.ToArray());
        using Tensor probabilities = plain.Probabilities(photo);
        for (int i = 0; i < expected.Length; i += 97)
        {
            ReadOnlySpan<float> pixel = probabilities.Image<float>(0).Slice(3 * i, 3);
            Assert.Equal(1, pixel[0] + pixel[1] + pixel[2], 1e-5);
            Assert.True(pixel[expected[i]] >= Math.Max(pixel[0], Math.Max(pixel[1], pixel[2])));
        }
    }

    [Fact]
    public void A_converted_file_makes_the_same_mask()
    {
        string converted = Path.Combine(_folder, "slide.safetensors");
        ModelConverter.Convert(Case("slide_1x"), converted);
        using Segmenter segmenter = Segmenter.Load(converted, new SegmenterOptions { Device = "cpu" });
        AssertAgrees(0.999, "slide_1x_ref", segmenter);
    }

    private static string Case(string file) => Shared.Require($"{Folder}{file}.pth");

    private static Image Photo() => Image.Load(Shared.Require("cases/01-one-class-mask/photo.png"));

    private static SegmenterOptions Switches(params (string Name, string Value)[] switches) =>
        new() { Device = "cpu", Switches = switches.ToDictionary(row => row.Name, row => row.Value) };

    private static void AssertAgrees(double least, string reference, Segmenter segmenter)
    {
        using Image photo = Photo();
        ushort[] expected = LabelImage.Load(Shared.Require($"{Folder}{reference}.png")).Labels.ToArray();
        ReadOnlySpan<ushort> actual = segmenter.Segment(photo).Labels;
        Assert.Equal(expected.Length, actual.Length);
        int same = 0;
        for (int i = 0; i < expected.Length; i++)
            same += expected[i] == actual[i] ? 1 : 0;
        Assert.InRange((double)same / expected.Length, least, 1);
    }
}
