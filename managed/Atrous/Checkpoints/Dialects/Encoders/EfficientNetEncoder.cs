using System.Globalization;
using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// efficientnet-b0 to b7, of efficientnet_pytorch's code and names. Its zeros are put for the size that the network was
/// scaled for, whatever the picture's size is.
/// </summary>
internal static class EfficientNetEncoder
{
    private const string Prefix = "encoder._", Stem = Prefix + "conv_stem";

    private static readonly BlockPart[] Parts =
    [
        new(StoredBlock.Expand, "_expand_conv", "_bn0"), new(StoredBlock.Depthwise, "_depthwise_conv", "_bn1"),
        new(StoredBlock.Reduce, "_se_reduce"), new(StoredBlock.Excite, "_se_expand"),
        new(StoredBlock.Project, "_project_conv", "_bn2"),
    ];

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (!search.Has(Stem + ".weight", Path(0) + "_project_conv.weight"))
            return null;
        StoredBlock[][] stages = Stages(search.File);
        if (stages.Length != EfficientNets.Kernels.Length || EfficientNetSize.Of(stages) is not { } size)
            return null;
        StoredBlock[][] levels = InvertedResidualEncoder.Levels(stages, EfficientNets.LevelStarts);
        if (size.Number == 0)
        {
            // B0's feature 4 is taken inside its fifth stage, after the first block, and the rest counts as stride 32.
            (levels[3], levels[4]) = ([.. levels[3].SkipLast(2)], [.. levels[3].TakeLast(2), .. levels[4]]);
        }
        NamedBackbone found = InvertedResidualEncoder.Build(
            search, EfficientNets.Spec(size) with { NormEpsilon = 1e-3, PaddedForSide = size.Side }, levels,
            DilationRule.Full, new LayerNames(Stem, Prefix + "bn0"));
        return found with
        {
            Unused = [.. found.Unused, Prefix + "conv_head.", Prefix + "bn1."],
            Preprocessing = EncoderStatistics.Of(search, isHalf: false),
        };
    }

    /// <summary>The blocks, which are numbered through: a stage ends where the channels change.</summary>
    private static StoredBlock[][] Stages(ICheckpoint file)
    {
        var stages = new List<List<StoredBlock>>();
        for (int i = 0; file.Has(Path(i) + "_project_conv.weight"); i++)
        {
            StoredBlock block = StoredBlock.Read(file, Path(i), Parts)!;
            if (stages.Count == 0 || stages[^1][^1].Outputs != block.Outputs)
                stages.Add([]);
            stages[^1].Add(block);
        }
        return [.. stages.Select(stage => stage.ToArray())];
    }

    private static string Path(int block) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}blocks.{block}.");
}
