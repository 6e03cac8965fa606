using System.Text.RegularExpressions;
using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// timm's MobileViT, whose last feature is behind one more convolution, and its second version, which has none.
/// </summary>
internal static class MobileViTEncoder
{
    private const string Prefix = EncoderSearch.Timm, Stem = Prefix + "stem.conv.weight";
    private const string Queries = "attn.qkv_proj.weight";
    private const string Last = Prefix + "final_conv.conv.weight";

    /// <summary>Stages 3 to 5 have one inverted residual block, and a transformer behind it.</summary>
    private const int FirstMixed = 3;

    public static NamedBackbone? Find(EncoderSearch search)
    {
        bool isSecond = search.Has(Transformer(FirstMixed, 0) + Queries);
        if (!search.Has(Stem) || !(isSecond || search.Has(
            Transformer(FirstMixed, 0) + "attn.qkv.weight", Mixed(FirstMixed) + "conv_fusion.conv.weight")))
        {
            return null;
        }
        string output = isSecond ? "conv_proj" : "conv_fusion";
        // Stages that the head does not read are not in the file.
        int depth = search.Depth(Channels(3), Channels(4), isSecond ? Channels(5) : search.OutputsOrNone(Last));
        DilationPlan.Stage[] plan =
            DilationPlan.Of(2, [1, 2, 2, 2, 2], search.OutputStride, DilationRule.FirstBlockPrevious);
        return new(
            new MobileViTSpec
            {
                Name = isSecond ? "MobileViTV2" : "MobileViT",
                Activation = Activation.Silu,
                Stages = [.. Enumerable.Range(1, depth).Select(i => StageOf(search, i, plan[i - 1]))],
                Heads = isSecond ? 0 : 4,
                FusedQueries = true,
                LastConvolution = depth == 5 && !isSecond,
                LowLevelStage = 2,
            },
            [
                Module(@"backbone\.stem", _ => Prefix + "stem"),
                Module(@"backbone\.last", _ => Prefix + "final_conv"),
                Module(@"backbone\.stage(\d)\.(\d+)\.(expand|depthwise|project)", match => Part(
                    match.Number(1), match.Number(2), match.Groups[3].Value)),
                new(@"backbone\.stage(\d)\.tokens", match => new(Mixed(match.Number(1)) + "conv_1x1", "")),
                Module(@"backbone\.stage(\d)\.(window|project|fuse)", match => Mixed(match.Number(1))
                    + match.Groups[2].Value switch
                    {
                        "window" => "conv_kxk",
                        "project" => "conv_proj",
                        _ => "conv_fusion",
                    }),
                new(@"backbone\.stage(\d)\.norm", match => new("", Mixed(match.Number(1)) + "norm")),
                new(@"backbone\.stage(\d)\.layer(\d+)\.(\w+)", match =>
                {
                    string layer = Transformer(match.Number(1), match.Number(2)), part = match.Groups[3].Value;
                    return part switch
                    {
                        "norm1" or "norm2" => new("", layer + part),
                        "qkv" => new(layer + (isSecond ? "attn.qkv_proj" : "attn.qkv"), ""),
                        "attend" => new(layer + (isSecond ? "attn.out_proj" : "attn.proj"), ""),
                        _ => new(layer + "mlp." + part, ""),
                    };
                }),
            ],
            Stem)
        {
            // Apple's weights take bytes from 0 to 1 without statistics.
            Preprocessing = Normalisation.None(3),
        };

        int Channels(int stage) => search.OutputsOrNone($"{Mixed(stage)}{output}.conv.weight");
    }

    private static MobileViTStage StageOf(EncoderSearch search, int stage, DilationPlan.Stage plan)
    {
        var blocks = new List<InvertedResidual>();
        while (search.Has(Kernel("expand")))
        {
            bool first = blocks.Count == 0;
            int stride = first ? plan.Stride : 1, dilation = first ? plan.FirstDilation : plan.Dilation;
            bool keeps = search.File.InputChannels(Kernel("expand")) == search.Outputs(Kernel("project"));
            blocks.Add(new InvertedResidual(
                stride, dilation, 1, 3, stride == 1 && keeps && dilation == plan.Dilation));
        }
        int transformers = search.Count(layer => Transformer(stage, layer) + "norm1.weight");
        return new MobileViTStage(blocks, transformers, plan.Dilation);

        string Kernel(string part) => Part(stage, blocks.Count, part) + ".conv.weight";
    }

    private static string Part(int stage, int block, string part)
    {
        string file = part switch { "expand" => "conv1_1x1", "depthwise" => "conv2_kxk", _ => "conv3_1x1" };
        return $"{Prefix}stages_{stage - 1}.{block}.{file}";
    }

    private static string Mixed(int stage) => $"{Prefix}stages_{stage - 1}.1.";

    private static string Transformer(int stage, int layer) => $"{Mixed(stage)}transformer.{layer}.";

    private static NameMap.Row Module(string pattern, Func<Match, string> name) =>
        HeadNames.Parts(pattern, name, ".conv", ".bn");
}
