using Atrous.Checkpoints.Dialects;
using Atrous.Specs;
using Atrous.Tests.Checkpoints.Dialects;
using Atrous.Tests.Support;

namespace Atrous.Tests.Models;

/// <summary>What the sizes of timm's ConvNeXt have of their own, and which of them are refused.</summary>
public sealed class ConvNeXtEncoderTests
{
    private const string FirstBranch = "decoder.aspp.0.convs.0.0.weight";

    [Theory]
    [InlineData(96, 1e-6)]
    [InlineData(352, 1e-6)]
    [InlineData(384, 1e-5)]
    public void The_largest_alone_adds_more_to_the_variance(int channels, double epsilon)
    {
        var spec = Assert.IsType<ConvNeXtSpec>(Describe(channels, [3, 4, 30, 3]).Network.Backbone);
        Assert.Equal(epsilon, spec.LayerNormEpsilon);
        Assert.Equal([3, 4, 30, 3], spec.Blocks);
    }

    /// <summary>Their activation is not the one of all others, which no tensor tells.</summary>
    [Theory]
    [InlineData(1, 2, 4, 2)]
    [InlineData(1, 1, 1, 1)]
    public void Those_of_timm_s_own_tests_are_refused(params int[] blocks)
    {
        var refused = Assert.Throws<ModelException>(() => Describe(24, blocks));
        Assert.Contains("test_convnext", refused.Message, StringComparison.Ordinal);
    }

    private static ModelDescription Describe(int channels, int[] blocks)
    {
        using var checkpoint = new NamedWeights(
        [
            .. Encoder(channels, blocks),
            .. Golden.Load("smp_deeplabv3plus_tu-resnet18d_os8_48x64").Keys
                .Where(key => !key.Name.StartsWith("encoder.", StringComparison.Ordinal))
                .Select(key => key.Name == FirstBranch ? (key.Name, [256, 8 * channels, 1, 1]) : key),
        ]);
        return Dialect.Describe(checkpoint, null, new DialectChoice());
    }

    /// <summary>Those of its keys that tell what it is.</summary>
    private static IEnumerable<(string Name, int[] Shape)> Encoder(int channels, int[] blocks)
    {
        const string prefix = "encoder.model.";
        yield return (prefix + "stem_0.weight", [channels, 3, 4, 4]);
        yield return (prefix + "stem_1.weight", [channels]);
        for (int stage = 0; stage < blocks.Length; stage++, channels *= 2)
        {
            if (stage > 0)
                yield return ($"{prefix}stages_{stage}.downsample.1.weight", [channels, channels / 2, 2, 2]);
            for (int block = 0; block < blocks[stage]; block++)
            {
                string path = $"{prefix}stages_{stage}.blocks.{block}.";
                yield return (path + "conv_dw.weight", [channels, 1, 7, 7]);
                yield return (path + "mlp.fc1.weight", [4 * channels, channels]);
                yield return (path + "gamma", [channels]);
            }
        }
    }
}
