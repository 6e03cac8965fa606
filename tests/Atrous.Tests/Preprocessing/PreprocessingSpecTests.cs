using System.Text.Json;
using Atrous.Specs;

namespace Atrous.Tests.Preprocessing;

public class PreprocessingSpecTests
{
    private static readonly PreprocessingSpec Caffe = new()
    {
        Order = ChannelOrder.Bgr,
        Scale = 1,
        Mean = [104.008f, 116.669f, 122.675f],
        Std = [1, 1, 1],
        Resize = new ResizePolicy.LongSide(513, OnlyShrink: false),
        Filter = ResizeFilter.BilinearPlain,
    };

    private static readonly PreprocessingSpec Boxed = new()
    {
        Scale = 1f / 255f,
        Mean = [0, 0, 0],
        Std = [1, 1, 1],
        Resize = new ResizePolicy.Letterbox(512, 512, 128),
        Filter = ResizeFilter.Bicubic,
    };

    [Fact]
    public void Equal_when_the_values_are_equal()
    {
        PreprocessingSpec copy = PreprocessingSpec.ImageNet with { Mean = [0.485f, 0.456f, 0.406f] };
        Assert.Equal(PreprocessingSpec.ImageNet, copy);
        Assert.Equal(PreprocessingSpec.ImageNet.GetHashCode(), copy.GetHashCode());
        Assert.NotEqual(copy, copy with { Std = [1, 1, 1] });
        Assert.NotEqual(copy, copy with { Order = ChannelOrder.Bgr });
        Assert.NotEqual(copy, copy with { Resize = new ResizePolicy.Stretch(1, 2) });
    }

    [Fact]
    public void Describes_itself_in_a_line()
    {
        Assert.Equal("RGB from 0 to 1, ImageNet's mean and std, native size", PreprocessingSpec.ImageNet.Description);
        Assert.Equal(
            "BGR from 0 to 255, mean 104.008,116.669,122.675, long side 513 (bilinear without antialiasing)",
            Caffe.Description);
        Assert.Equal("RGB from 0 to 1, no mean or std, letterboxed into 512x512 on 128 (bicubic)", Boxed.Description);
    }

    [Fact]
    public void Describes_its_numbers_with_all_their_digits()
    {
        PreprocessingSpec spec = Caffe with
        {
            Scale = 1f / 127.5f,
            Mean = [0.4321651f, 0, -1],
            Std = [0.22803f, 58.395f, 0.00001f],
        };
        Assert.StartsWith("BGR times 0.007843138, mean 0.4321651,0,-1, std 0.22803,58.395,1E-05, ", spec.Description);
    }

    [Fact]
    public void Survives_json()
    {
        foreach (PreprocessingSpec spec in (PreprocessingSpec[])[PreprocessingSpec.ImageNet, Caffe, Boxed])
            Assert.Equal(spec, JsonSerializer.Deserialize<PreprocessingSpec>(JsonSerializer.Serialize(spec)));
    }
}
