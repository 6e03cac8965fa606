using Atrous.Catalog;
using Atrous.Imaging;
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
        Assert.InRange(new FileInfo(Repository.PathOf("models/atrous-street.safetensors")).Length, 1_000_000, LargestBytes);
        byte[] committed = File.ReadAllBytes(Repository.PathOf("models/atrous-street.safetensors"));
        Assert.Equal(committed, File.ReadAllBytes(DefaultModel.Path));
        Assert.Equal(committed, File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(Tool.Path)!, "models", "atrous-street.safetensors")));
    }

    [Fact]
    public void It_is_what_its_summary_says()
    {
        ModelInfo info = ModelInfo.Read(DefaultModel.Path);
        Assert.StartsWith($"{info.Classes} ", DefaultModel.Summary);
        Assert.Equal(["sky", "building", "pole", "road", "pavement", "tree", "sign symbol", "fence", "car", "pedestrian", "bicyclist"], info.ClassNames);
        Assert.Equal("DeepLabV3+", info.Architecture);
        Assert.Equal(16, info.OutputStride);
        Assert.Empty(info.Missing);
        Assert.Empty(info.Unexpected);
        Assert.Equal(PreprocessingSpec.ImageNet with { Resize = new ResizePolicy.LongSide(480, OnlyShrink: true) }, info.Preprocessing);
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
}
