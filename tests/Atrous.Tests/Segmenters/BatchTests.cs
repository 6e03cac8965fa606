namespace Atrous.Tests.Segmenters;

/// <summary>Which pictures run together.</summary>
public sealed class BatchTests(GeneratedModel model)
{
    [Theory]
    [InlineData("cpu", 64, 64, 6)]
    [InlineData("cpu", 128, 128, 4)]
    [InlineData("cpu", 128, 256, 2)]
    [InlineData("cpu", 256, 256, 1)]
    [InlineData("cpu", 1080, 1920, 1)]
    [InlineData("reference", 1080, 1920, 6)]
    public void As_many_as_the_device_gains_by(string device, int height, int width, int pictures)
    {
        using Segmenter segmenter = Segmenter.Load(model.Path, new SegmenterOptions { Device = device, MaxBatch = 6 });
        Assert.Equal(pictures, segmenter.BatchOf(height, width));
    }
}
