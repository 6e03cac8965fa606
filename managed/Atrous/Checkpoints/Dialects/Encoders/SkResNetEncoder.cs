using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>Selective-kernel ResNets (Li et al. 2019, arXiv:1903.06586) as timm names them.</summary>
internal static class SkResNetEncoder
{
    private const string Basic = "conv1.paths.0.conv.weight", Bottleneck = "conv2.paths.0.conv.weight";

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if ((StoredResNet.Find(search, Basic) ?? StoredResNet.Find(search, Bottleneck)) is not { } found)
            return null;
        string prefix = found.Prefix, block = prefix + "layer$1.$2.conv$3";
        const string layer = @"backbone\.stage(\d)\.(\d+)\.conv(\d)";
        int inputs = found.Key == Bottleneck
            ? found.Outputs("conv1.conv.weight")
            : search.Outputs($"{prefix}conv1.weight");
        return found.Describe("SK-ResNet", spec => spec with
        {
            Window = ResidualWindow.SelectiveKernels,
            // Kernels of one group, or of 32, see the half of the channels or all of them.
            SplitsInput = inputs / found.GroupWidth(found.Key) is 2 or 64,
            EqualReachWhenDilated = found.Rule == DilationRule.Full,
        },
            new(layer + @"\.path(\d)", block + ".paths.$4.conv", block + ".paths.$4.bn"),
            new(layer + @"\.squeeze", block + ".attn.fc_reduce", block + ".attn.bn"),
            new(layer + @"\.select", block + ".attn.fc_select"),
            new(layer, block + ".conv", block + ".bn"));
    }
}
