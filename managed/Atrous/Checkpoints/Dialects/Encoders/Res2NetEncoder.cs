using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>Res2Net (Gao et al. 2019, arXiv:1904.01169) as timm names it.</summary>
internal static class Res2NetEncoder
{
    /// <summary>timm's networks have 8 at most; a file that asks for many more is none of them.</summary>
    private const int MostScales = 64;
    private const string FirstScale = "convs.0.weight";

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (StoredResNet.Find(search, FirstScale) is not { } found)
            return null;
        int scales = found.Outputs("conv1.weight") / found.Outputs(FirstScale);
        if (scales > MostScales)
            return null;
        return found.Describe("Res2Net", spec => spec with { Window = ResidualWindow.MultiScale, Scales = scales },
            new NameMap.Row(
                @"backbone\.stage(\d)\.(\d+)\.conv2\.(\d)",
                found.Prefix + "layer$1.$2.convs.$3", found.Prefix + "layer$1.$2.bns.$3"));
    }
}
