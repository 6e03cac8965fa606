using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>SE-ResNet, SE-ResNeXt and SENet-154 as Cadene named them.</summary>
internal static class SENetEncoder
{
    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (StoredResNet.Find(search, "se_module.fc1.weight") is not { } found)
            return null;
        string prefix = found.Prefix;
        bool large = search.Has($"{prefix}layer0.conv3.weight");
        bool grouped = found.Outputs("conv1.weight") != found.GroupWidth("conv2.weight");
        return found.Describe(large ? "SENet" : grouped ? "SE-ResNeXt" : "SE-ResNet", spec => spec with
        {
            StemConvolutions = large ? 3 : 1,
            StrideInFirstConvolution = !grouped,
            CeilModePool = true,
            PoolPadding = 0,
            Gate = GateSpec.Standard,
            ShortcutKernel = search.File.KernelSize($"{prefix}layer2.0.downsample.0.weight"),
        },
            new(@"backbone\.stem\.conv(\d)", prefix + "layer0.conv$1", prefix + "layer0.bn$1"),
            new(@"backbone\.stage(\d)\.(\d+)\.gate\.reduce", prefix + "layer$1.$2.se_module.fc1"),
            new(@"backbone\.stage(\d)\.(\d+)\.gate\.expand", prefix + "layer$1.$2.se_module.fc2")) with
        {
            Stem = $"{prefix}layer0.conv1.weight",
        };
    }
}
