using Atrous.Catalog;
using Atrous.Evaluation;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Specs;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Tests.Catalog;

/// <summary>The model in the box.</summary>
public sealed class DefaultModelTests
{
    private const int LargestBytes = 8_000_000;

    [Fact]
    public void It_is_small_and_lies_beside_every_program()
    {
        Assert.InRange(
            new FileInfo(Repository.PathOf("models/atrous-street.safetensors")).Length, 1_000_000, LargestBytes);
        byte[] committed = File.ReadAllBytes(Repository.PathOf("models/atrous-street.safetensors"));
        Assert.Equal(committed, File.ReadAllBytes(DefaultModel.Path));
        Assert.Equal(committed,
            File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(Tool.Path)!, "models", "atrous-street.safetensors")));
    }

    [Fact]
    public void It_is_what_its_summary_says()
    {
        ModelInfo info = ModelInfo.Read(DefaultModel.Path);
        Assert.StartsWith($"{info.Classes} ", DefaultModel.Summary);
        Assert.Equal(
            ["sky", "building", "pole", "road", "pavement", "tree", "sign symbol", "fence", "car", "pedestrian",
            "bicyclist"], info.ClassNames);
        Assert.Equal("DeepLabV3+", info.Architecture);
        Assert.Equal(16, info.OutputStride);
        Assert.Empty(info.Missing);
        Assert.Empty(info.Unexpected);
        Assert.Equal(PreprocessingSpec.ImageNet with { Resize = new ResizePolicy.LongSide(576, OnlyShrink: false) },
            info.Preprocessing);
    }

    [Fact]
    public void Three_lines_segment_a_picture()
    {
        using var segmenter = Segmenter.LoadDefault();
        using Image photo = Image.Load(Repository.PathOf("samples/street.png"));
        Segmentation mask = segmenter.Segment(photo);
        Assert.Equal((photo.Width, photo.Height), (mask.Width, mask.Height));
        Assert.InRange(mask.Shares.Count, 2, 11);
    }

    /// <summary>
    /// What the project asks of the file that it ships. It was trained on these frames too: this tells of a broken file
    /// or a wrong picture path, and its card how much it knows of frames that it has not seen.
    /// </summary>
    [Fact]
    public void It_reaches_its_score_on_CamVid()
    {
        string val = Shared.Require("datasets/camvid/val");
        var matrix = new ConfusionMatrix(11, ignore: 11);
        using var segmenter = Segmenter.LoadDefault();
        foreach (string picture in Directory.EnumerateFiles(Path.Combine(val, "images")))
            Add(matrix, segmenter, picture,
                Path.Combine(val, "labels", Path.GetFileNameWithoutExtension(picture) + ".png"));
        Assert.Equal(101 * 480L * 360, matrix.Pixels + matrix.Ignored);
        Assert.InRange(matrix.MeanIou, 0.82, 1);
        string[] names = [.. segmenter.Info.ClassNames];
        (string, double)[] asked = [("pole", 0.25), ("sign symbol", 0.40), ("pedestrian", 0.55)];
        foreach ((string name, double least) in asked)
            Assert.InRange(matrix.Iou(Array.IndexOf(names, name)), least, 1);
    }

    [Theory]
    [InlineData("street.png", "street.labels.png")]
    [InlineData("scenes/1005.jpg", "scenes/1005.labels.png")]
    [InlineData("scenes/1010.jpg", "scenes/1010.labels.png")]
    [InlineData("scenes/1013.jpg", "scenes/1013.labels.png")]
    [InlineData("scenes/1024.jpg", "scenes/1024.labels.png")]
    [InlineData("scenes/1025.jpg", "scenes/1025.labels.png")]
    public void It_understands_the_samples(string picture, string labels)
    {
        var matrix = new ConfusionMatrix(11, ignore: 11);
        using var segmenter = Segmenter.LoadDefault();
        Add(matrix, segmenter, Repository.PathOf($"samples/{picture}"), Repository.PathOf($"samples/{labels}"));
        Assert.InRange(matrix.PixelAccuracy, 0.90, 1);
    }

    /// <summary>
    /// The pictures in the README are what the program writes; other instruction sets may round a tie differently.
    /// </summary>
    [Theory]
    [InlineData("street.png", "street.overlay.png")]
    [InlineData("scenes/1005.jpg", "1005.overlay.png")]
    [InlineData("scenes/1025.jpg", "1025.overlay.png")]
    public void The_overlays_in_the_README_are_its_output(string picture, string file)
    {
        using var segmenter = Segmenter.LoadDefault();
        using Image photo = Image.Load(Repository.PathOf($"samples/{picture}"));
        using Image overlay = segmenter.Segment(photo).Overlay(photo);
        using Image shown = Image.Load(Repository.PathOf($"docs/{file}"));
        Assert.Equal((overlay.Width, overlay.Height), (shown.Width, shown.Height));
        int differing = 0;
        ReadOnlySpan<byte> a = overlay.Pixels, b = shown.Pixels;
        for (int i = 0; i < a.Length; i++)
            differing += a[i] != b[i] ? 1 : 0;
        Assert.InRange(differing / (double)a.Length, 0, 1e-3);
    }

    private static void Add(ConfusionMatrix matrix, Segmenter segmenter, string picture, string labels)
    {
        using Image photo = Image.Load(picture);
        Segmentation mask = segmenter.Segment(photo);
        matrix.Add(LabelImage.Load(labels), mask.Labels, mask.Height, mask.Width);
    }
}
