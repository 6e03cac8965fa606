using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>ResNeSt (Zhang et al. 2020, arXiv:2004.08955) as timm names it.</summary>
internal static class ResNeStEncoder
{
    /// <summary>
    /// timm's networks by their splits and groups, and whether their mean comes first: the weights do not tell that.
    /// </summary>
    private static readonly Dictionary<(int Splits, int Groups), bool> Known = new()
    {
        [(2, 1)] = false, // resnest14d to resnest269e
        [(1, 4)] = true, // resnest50d_1s4x24d
        [(4, 2)] = true, // resnest50d_4s2x40d
    };

    public static NamedBackbone? Find(EncoderSearch search)
    {
        const string convolution = "conv2.conv.weight", squeeze = "conv2.fc1.weight";
        if (StoredResNet.Find(search, squeeze) is not { } found)
            return null;
        int channels = found.Outputs("conv1.weight");
        int splits = found.Outputs(convolution) / channels, groups = channels / found.GroupWidth(squeeze);
        if (!Known.TryGetValue((splits, groups), out bool poolsFirst)
            || found.GroupWidth(convolution) * splits * groups != channels)
        {
            throw new ModelException(
                $"'{search.File.Path}': its encoder is a ResNeSt of {splits} splits in {groups} groups, which timm "
                + "does not have: Atrous has those of 2 splits, resnest50d_1s4x24d and resnest50d_4s2x40d.");
        }
        string block = found.Prefix + "layer$1.$2.conv2";
        const string layer = @"backbone\.stage(\d)\.(\d+)\.conv2";
        return found.Describe(
            "ResNeSt",
            spec => spec with
            {
                Window = ResidualWindow.SplitAttention,
                Splits = splits,
                SplitGroups = groups,
                PoolsBeforeSplits = poolsFirst,
            },
            new(layer + @"\.splits", block + ".conv", block + ".bn0"),
            new(layer + @"\.squeeze", block + ".fc1", block + ".bn1"),
            new(layer + @"\.select", block + ".fc2"));
    }
}
