using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>The aligned Xception-41, 65 and 71 as timm names them.</summary>
internal static class XceptionEncoder
{
    private const string Prefix = EncoderSearch.Timm, Stem = Prefix + "stem_0.conv.weight";

    /// <summary>Google's weights were trained with 0.5 for mean and deviation.</summary>
    private static readonly PreprocessingSpec Statistics = Normalisation.Of([0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]);

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (!search.Has(Stem, Pointwise(0, 3), $"{Prefix}blocks_0.stack.conv1.bn_dw.weight"))
            return null;
        int count = 0, entry = 0;
        while (search.Has(Pointwise(count, 3)))
            count++;
        while (HasShortcut(entry))
            entry++;
        // The last block is the exit flow, and the one before it ends the middle flow. In the larger of the two entry
        // flows every other block has a stride.
        int last = count - 2;
        bool Halves(int i) => i == last || (i < entry && (entry == 3 || i % 2 == 0));
        int[] strides = [.. Enumerable.Range(0, count - 1).Select(i => Halves(i) ? 2 : 1)];
        int[] strided = [.. Enumerable.Range(0, count - 1).Where(i => strides[i] == 2)];
        if (entry is not (3 or 5) || strided.Length != 4)
            return null;
        int depth = search.Depth(
            search.Outputs(Pointwise(strided[2], 2)), search.Outputs(Pointwise(strided[3], 2)),
            search.Outputs(Pointwise(count - 1, 3)));
        if (depth != 5)
        {
            throw new ModelException(
                $"'{search.File.Path}': its head reads feature {depth} of Xception, and Atrous has that encoder with " +
                $"feature 5 alone.");
        }
        // Every block is a stage of its own: one that loses its stride keeps the dilation of what is before it.
        DilationPlan.Stage[] plan =
            DilationPlan.Of(2, [.. strides, 1], search.OutputStride, DilationRule.FirstBlockPrevious);
        return new(
            new XceptionSpec
            {
                Name = $"Xception-{3 * count + 2}",
                NormEpsilon = 1e-3,
                Blocks =
                [
                    .. Enumerable.Range(0, count - 1).Select(i => new XceptionBlock(
                        3, plan[i].Stride, plan[i].FirstDilation, StartsActivated: true, HasShortcut(i))),
                ],
                Exit =
                [
                    .. Enumerable.Repeat(
                        new XceptionExit(plan[^1].FirstDilation, Normed: true, ActivatedBetween: true), 3),
                ],
                StemActivated = true,
                ExitActivatedFirst = false,
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
            Preprocessing = Statistics,
        };

        bool HasShortcut(int block) => search.Has($"{Prefix}blocks_{block}.shortcut.conv.weight");
    }

    private static string Pointwise(int block, int convolution) =>
        $"{Prefix}blocks_{block}.stack.conv{convolution}.conv_pw.weight";

    private static LayerNames Parts(int block, int convolution, string part)
    {
        string name = $"{Prefix}blocks_{block}.stack.conv{convolution}.", end = part == "depthwise" ? "dw" : "pw";
        return new($"{name}conv_{end}", $"{name}bn_{end}");
    }
}
