using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// What the encoders of inverted residual blocks share: blocks from the file become a strided and dilated network.
/// </summary>
internal static class InvertedResidualEncoder
{
    /// <summary>Groups stages by the stride of their output: 2, 4, 8, 16 and 32.</summary>
    /// <param name="stages">The stages in forward order.</param>
    /// <param name="starts">The first stage of each of the five groups; two are equal where a group is empty.</param>
    public static StoredBlock[][] Levels(IReadOnlyList<StoredBlock[]> stages, IReadOnlyList<int> starts) =>
    [
        .. starts.Select((start, level) => stages.Skip(start)
            .Take((level + 1 < starts.Count ? starts[level + 1] : stages.Count) - start)
            .SelectMany(stage => stage).ToArray()),
    ];

    /// <summary>
    /// The encoder up to the feature that the head reads. A block adds its input where the shapes agree: a block that
    /// lost its stride to dilation changes the channels.
    /// </summary>
    /// <param name="search">The file and the user's choice.</param>
    /// <param name="spec">Everything but the blocks.</param>
    /// <param name="levels">The blocks by the stride of their output: 2, 4, 8, 16 and 32.</param>
    /// <param name="rule">What the first block of a dilated level gets.</param>
    /// <param name="stem">The file's names of the first convolution.</param>
    /// <param name="plainSkips">A block of one convolution adds its input too.</param>
    /// <param name="firstSkips">Blocks of stride 2's level may add their inputs.</param>
    public static NamedBackbone Build(
        EncoderSearch search, InvertedResidualSpec spec, StoredBlock[][] levels, DilationRule rule, LayerNames stem,
        bool plainSkips = false, bool firstSkips = true)
    {
        int depth = search.Depth([.. levels[2..].Select(level => level[^1].Outputs)]);
        DilationPlan.Stage[] plan = DilationPlan.Of(2, [1, 2, 2, 2, 2], search.OutputStride, rule);
        var blocks = new List<InvertedResidual>();
        int channels = search.Outputs(stem.Convolution + ".weight");
        for (int level = 0; level < depth; level++)
        {
            for (int i = 0; i < levels[level].Length; i++)
            {
                StoredBlock stored = levels[level][i];
                int stride = i == 0 ? plan[level].Stride : 1;
                blocks.Add(stored.Shape with
                {
                    Stride = stride,
                    Dilation = i == 0 ? plan[level].FirstDilation : plan[level].Dilation,
                    Residual = stride == 1 && stored.Outputs == channels && (level > 0 || firstSkips)
                        && (stored.Shape.Projects || plainSkips),
                });
                channels = stored.Outputs;
            }
        }
        StoredBlock[] all = [.. levels.SelectMany(level => level)];
        return new NamedBackbone(
            spec with { Blocks = blocks, LowLevelBlock = levels[0].Length + levels[1].Length },
            [
                new(@"backbone\.stem", _ => stem),
                new(@"backbone\.block(\d+)\.(.+)", match => all[match.Number(1) - 1].Parts[match.Groups[2].Value]),
            ],
            stem.Convolution + ".weight")
        {
            Unused = [.. all.Skip(blocks.Count).Select(block => block.Path)],
        };
    }
}
