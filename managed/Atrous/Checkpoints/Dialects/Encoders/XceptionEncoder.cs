using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// The aligned Xception-41, 65 and 71 as timm names them. Its features are what the last convolution of a block with a
/// stride reads, and the exit flow's end.
/// </summary>
internal static class XceptionEncoder
{
    private const string Prefix = EncoderSearch.Timm, Stem = Prefix + "stem_0.conv.weight";

    /// <summary>
    /// Blocks of the entry flow: three that have a stride, or five where the second and the fourth have none.
    /// </summary>
    private const int SmallEntry = 3, LargeEntry = 5;

    /// <summary>Google's weights were trained with 0.5 for mean and deviation.</summary>
    private static readonly PreprocessingSpec Statistics = Normalisation.Of([0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]);

    public static NamedBackbone? Find(EncoderSearch search)
    {
        // The variants that norm before their convolutions have other norms.
        if (!search.Has(Stem, Pointwise(0, 3), $"{Prefix}blocks_0.stack.conv1.bn_dw.weight"))
            return null;
        int count = search.Count(block => Pointwise(block, 3)), shortcuts = search.Count(Shortcut);
        int entry = shortcuts == SmallEntry ? SmallEntry : LargeEntry;
        if (shortcuts == LargeEntry - 1 && search.OutputStride > 8)
        {
            throw new ModelException(
                $"'{search.File.Path}': the last block of its Xception's entry flow has no shortcut, as at output " +
                $"stride 8 alone; choose that output stride.");
        }
        // What follows the entry flow: a middle flow, a block with a stride, and the exit flow, which has no shortcut.
        bool hasExit = count > entry && !HasShortcut(search, count - 1);
        int blocks = hasExit ? count - 1 : count;
        int[] strided =
        [
            .. Enumerable.Range(0, entry).Where(i => entry == SmallEntry || i % 2 == 0),
            .. blocks > entry ? [blocks - 1] : (int[])[],
        ];
        int[] channels =
        [
            .. strided.Skip(2).Select(block => search.Outputs(Pointwise(block, 2))),
            .. hasExit ? [search.Outputs(Pointwise(count - 1, 3))] : (int[])[],
        ];
        if (shortcuts < SmallEntry || strided.Length > 4 || channels.Length == 0)
            return null;
        int depth = search.Depth(channels);
        return Describe(search, depth == 5 ? blocks : strided[depth - 1] + 1, count, strided, depth);
    }

    private static NamedBackbone Describe(EncoderSearch search, int blocks, int count, int[] strided, int depth)
    {
        // Every block is a stage of its own: one that loses its stride keeps the dilation of what is before it.
        DilationPlan.Stage[] plan = DilationPlan.Of(
            2, [.. Enumerable.Range(0, count).Select(i => strided.Contains(i) ? 2 : 1)], search.OutputStride,
            DilationRule.FirstBlockPrevious);
        return new(
            new XceptionSpec
            {
                Name = "Xception",
                NormEpsilon = 1e-3,
                Blocks =
                [
                    .. Enumerable.Range(0, blocks).Select(i => new XceptionBlock(
                        3, plan[i].Stride, plan[i].FirstDilation, StartsActivated: true, HasShortcut(search, i))),
                ],
                Exit = depth < 5
                    ? []
                    : [.. Enumerable.Repeat(new XceptionExit(plan[^1].FirstDilation, ActivatedBetween: true), 3)],
                StemActivated = true,
                ExitActivatedFirst = false,
                EndsAtLastInput = depth < 5,
                LowLevel = XceptionTap.LastInput,
                TapBlock = strided[1] + 1,
            },
            [
                HeadNames.Parts(
                    @"backbone\.stem\.conv(\d)", match => $"{Prefix}stem_{match.Number(1) - 1}", ".conv", ".bn"),
                HeadNames.Parts(
                    @"backbone\.block(\d+)\.shortcut", match => $"{Prefix}blocks_{match.Number(1) - 1}.shortcut",
                    ".conv", ".bn"),
                new(@"backbone\.block(\d+)\.sep(\d)\.(depthwise|pointwise)", match => Parts(
                    match.Number(1) - 1, match.Number(2), match.Groups[3].Value)),
                new(@"backbone\.exit(\d)\.(depthwise|pointwise)", match => Parts(
                    count - 1, match.Number(1), match.Groups[2].Value)),
            ],
            Stem)
        {
            Unused = depth == 5
                ? []
                : [.. Enumerable.Range(blocks, count - blocks).Select(i => $"{Prefix}blocks_{i}.")],
            Preprocessing = Statistics,
        };
    }

    private static bool HasShortcut(EncoderSearch search, int block) => search.Has(Shortcut(block));

    private static string Shortcut(int block) => $"{Prefix}blocks_{block}.shortcut.conv.weight";

    private static string Pointwise(int block, int convolution) =>
        $"{Prefix}blocks_{block}.stack.conv{convolution}.conv_pw.weight";

    private static LayerNames Parts(int block, int convolution, string part)
    {
        string name = $"{Prefix}blocks_{block}.stack.conv{convolution}.", end = part == "depthwise" ? "dw" : "pw";
        return new($"{name}conv_{end}", $"{name}bn_{end}");
    }
}
