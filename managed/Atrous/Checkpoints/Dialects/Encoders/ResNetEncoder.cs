using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>torchvision's ResNets, under their own names.</summary>
internal static class ResNetEncoder
{
    private const string Prefix = "encoder.";

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (NamedBackbone.FindResNet(search.File, Prefix, search.OutputStride, DilationRule.Full) is not { } found)
            return null;
        var spec = (ResNetSpec)found.Spec;
        string last = spec.Bottleneck ? "conv3" : "conv2";
        int stages = search.Depth(Channels(2), Channels(3), Channels(4)) - 1;
        return found with
        {
            Spec = spec with { Blocks = [.. spec.Blocks.Take(stages)], Stages = [.. spec.Stages.Take(stages)] },
            Unused = [.. Enumerable.Range(stages + 1, 4 - stages).Select(stage => $"{Prefix}layer{stage}.")],
        };

        int Channels(int stage) => search.Outputs($"{Prefix}layer{stage}.0.{last}.weight");
    }
}
