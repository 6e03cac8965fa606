using Atrous.Cuda.Tests.Support;
using Atrous.Imaging;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>A network of one output channel on the GPU has the CPU's foreground.</summary>
public sealed class OneClassTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.3)]
    public void The_mask_is_the_cpu_s(double threshold)
    {
        string path = Shared.Require("cases/01-one-class-mask/smp_c1.pth");
        using Image photo = Image.Load(Shared.Require("cases/01-one-class-mask/photo.png"));
        using Image part = photo.Crop(0, 0, 96, 96);
        var switches = new Dictionary<string, string>
        {
            ["threshold"] = threshold.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        using Segmenter cpu = Segmenter.Load(
                path, new SegmenterOptions { Device = "cpu", Threads = 1, Switches = switches }),
            cuda = Segmenter.Load(path, new SegmenterOptions { Device = "cuda", Switches = switches });
        Segmentation expected = cpu.Segment(part, confidence: true), mask = cuda.Segment(part, confidence: true);
        int same = expected.Labels.ToArray().Zip(mask.Labels.ToArray()).Count(pair => pair.First == pair.Second);
        Assert.InRange(same / (double)expected.Labels.Length, 0.999, 1);
        Assert.Equal(expected.Confidence.ToArray().Average(), mask.Confidence.ToArray().Average(), 1e-4f);
    }
}
