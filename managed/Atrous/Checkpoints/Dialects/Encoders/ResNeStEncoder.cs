using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>ResNeSt with two splits (Zhang et al. 2020, arXiv:2004.08955) as timm names it.</summary>
internal static class ResNeStEncoder
{
    private const string Splits = "conv2.conv.weight";

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (StoredResNet.Find(search, "conv2.fc1.weight") is not { } found)
            return null;
        // Of other radix or cardinality timm has two networks, which put their mean elsewhere.
        if (found.Outputs(Splits) != 4 * found.GroupWidth(Splits)
            || found.Outputs(Splits) != 2 * found.Outputs("conv1.weight"))
        {
            throw new ModelException(
                $"'{search.File.Path}': its encoder is a ResNeSt of other than two splits (resnest50d_1s4x24d, " +
                "resnest50d_4s2x40d), which Atrous does not have; it has those with two.");
        }
        string block = found.Prefix + "layer$1.$2.conv2";
        const string layer = @"backbone\.stage(\d)\.(\d+)\.conv2";
        return found.Describe("ResNeSt", spec => spec with { Window = ResidualWindow.SplitAttention },
            new(layer + @"\.splits", block + ".conv", block + ".bn0"),
            new(layer + @"\.squeeze", block + ".fc1", block + ".bn1"),
            new(layer + @"\.select", block + ".fc2"));
    }
}
