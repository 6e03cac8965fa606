using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>SegFormer's Mix Transformers, dilated by the original's own rule: every convolution of a stage.</summary>
internal static class MixTransformerEncoder
{
    private const string Prefix = "encoder.", Stem = Prefix + "patch_embed1.proj.weight";

    /// <summary>What the file has of each stage.</summary>
    private static readonly string[] Parts = ["patch_embed", "block", "norm"];

    /// <summary>The same in all sizes, which differ in channels and blocks.</summary>
    private static readonly int[] Heads = [1, 2, 5, 8], Reductions = [8, 4, 2, 1], Strides = [4, 2, 2, 2];

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (!search.Has(Stem, Prefix + "block1.0.attn.kv.weight"))
            return null;
        int[] blocks = BackboneShapes.CountBlocks(
            search.File, (stage, block) => $"{Prefix}block{stage}.{block}.attn.q.weight");
        int depth = search.Depth(Channels(2), Channels(3), Channels(4));
        DilationPlan.Stage[] plan = DilationPlan.Of(1, Strides, search.OutputStride, DilationRule.Full);
        return new(
            new MixTransformerSpec
            {
                Name = "MiT" + Size(blocks, Channels(1)),
                Activation = Activation.Gelu,
                Stages =
                [
                    .. Enumerable.Range(0, depth - 1).Select(i => new MixTransformerStage(
                        blocks[i], Heads[i], i == 0 ? 7 : 3, plan[i].Stride, plan[i].Dilation, Reductions[i])),
                ],
            },
            [
                new(@"backbone\.stage(\d)\.down", Prefix + "patch_embed$1.proj"),
                new(@"backbone\.stage(\d)\.down\.norm", "", Prefix + "patch_embed$1.norm"),
                new(@"backbone\.stage(\d)\.norm", "", Prefix + "norm$1"),
                new(@"backbone\.stage(\d)\.(\d+)\.norm(\d)", "", Prefix + "block$1.$2.norm$3"),
                new(@"backbone\.stage(\d)\.(\d+)\.reduce\.norm", "", Prefix + "block$1.$2.attn.norm"),
                new(@"backbone\.stage(\d)\.(\d+)\.(\w+)", match => new(
                    $"{Prefix}block{match.Groups[1].Value}.{match.Groups[2].Value}.{Part(match.Groups[3].Value)}", "")),
            ],
            Stem)
        {
            Unused =
            [
                .. Parts.SelectMany(part => EncoderSearch.After(depth - 1, stage => $"{Prefix}{part}{stage}.")),
            ],
        };

        int Channels(int stage) => search.Outputs($"{Prefix}patch_embed{stage}.proj.weight");
    }

    private static string Part(string part) => part switch
    {
        "query" => "attn.q",
        "keyvalue" => "attn.kv",
        "reduce" => "attn.sr",
        "attend" => "attn.proj",
        "window" => "mlp.dwconv.dwconv",
        _ => "mlp." + part,
    };

    /// <summary>"-B0" to "-B5" by their blocks; nothing for another.</summary>
    private static string Size(int[] blocks, int channels) => blocks switch
    {
        [2, 2, 2, 2] => channels == 32 ? "-B0" : "-B1",
        [3, 4, 6, 3] => "-B2",
        [3, 4, 18, 3] => "-B3",
        [3, 8, 27, 3] => "-B4",
        [3, 6, 40, 3] => "-B5",
        _ => "",
    };
}
