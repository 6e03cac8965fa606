using System.Text.RegularExpressions;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Hugging Face transformers' MobileViTForSemanticSegmentation and MobileViTV2ForSemanticSegmentation
/// (apple/deeplabv3-mobilevit-small, apple/mobilevitv2-1.0-voc-deeplabv3): DeepLabV3's head on a MobileViT. A folder's
/// config.json settles the output stride, the rates, the heads and the class names. A stage that loses its stride keeps
/// the dilation of the one before it in its only strided block; nothing else is dilated.
/// </summary>
internal sealed class HuggingFaceMobileViT : Dialect
{
    private const string First = "mobilevit.", Second = "mobilevitv2.", Head = "segmentation_head.";
    private const string Stem = "conv_stem.convolution.weight", Branch = Head + "aspp.convs.0.convolution.weight";
    private const string Classifier = Head + "classifier.convolution.weight";
    private const int Stages = 5;

    public override string Name => "HuggingFaceMobileViT";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, First + Stem, Branch, Classifier)
        ?? Evidence.Keys(checkpoint, Second + Stem, Branch, Classifier);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool isSecond = checkpoint.Has(Second + Stem);
        string prefix = isSecond ? Second : First;
        JsonFacts config = checkpoint.ConfigFile();
        int outputStride = choice.OutputStride(config.Or(config.Number("output_stride"), 16), 8, 16, 32);
        int channels = checkpoint.InputChannels(prefix + Stem), classes = checkpoint.Outputs(Classifier);
        if (config.Number("patch_size") is not (null or 2))
            throw config.Wrong("patch_size", "is another than 2, which Atrous does not have");
        if (config.Number("num_attention_heads") is < 1)
            throw config.Wrong("num_attention_heads", "is no number of heads");
        int heads = isSecond ? 0 : choice.Numbers(
            "heads", config.Or(config.Number("num_attention_heads"), 4).As(count => new[] { count }),
            "heads of the attention")[0];
        // The class flips the channels and has no statistics.
        PreprocessingSpec plain = Normalisation.None(channels) with { Order = ChannelOrder.Bgr };
        (PreprocessingSpec preprocessing, IReadOnlyList<string> notes) = HuggingFacePreprocessing.Of(
            checkpoint,
            published: plain with { Resize = new ResizePolicy.ShortSide(544) },
            standard: plain with { Resize = new ResizePolicy.ShortSide(224) });
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = new MobileViTSpec
                {
                    Name = isSecond ? "MobileViTV2" : "MobileViT",
                    Activation = HuggingFaceConfig.Activation(
                        config, Activation.Silu, ("silu", Activation.Silu), ("swish", Activation.Silu),
                        ("relu", Activation.Relu), ("gelu", Activation.Gelu)),
                    Stages = StagesOf(checkpoint, prefix, outputStride),
                    Heads = heads,
                    LayerNormEpsilon = HuggingFaceConfig.Epsilon(config, 1e-5),
                },
                Head = new DeepLabV3HeadSpec
                {
                    Aspp = new AsppSpec
                    {
                        Rates = choice.Numbers(
                            "rates", config.Or(config.Numbers("atrous_rates"), [6, 12, 18]),
                            "atrous_rates, of the three atrous branches"),
                    },
                },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.HalfPixel,
                Forward = ForwardResult.Logits,
            },
            Names = new NameMap([.. BackboneNames(prefix, isSecond), .. HeadRows]),
            Preprocessing = preprocessing,
            PreprocessingSource = HuggingFacePreprocessing.SourceOf(checkpoint),
            Notes = notes,
            ClassNames = HuggingFaceConfig.ClassNamesOf(checkpoint, classes),
            // The image classifier's last convolution, which no segmentation reads.
            TrainingOnly = [prefix + "conv_1x1_exp."],
            ReadWhole = [prefix, Head],
        };
    }

    private static NameMap.Row[] HeadRows =>
    [
        HuggingFaceConfig.Module(@"aspp\.branch(\d)", match => $"{Head}aspp.convs.{match.Number(1)}"),
        HuggingFaceConfig.Module(@"aspp\.pool", _ => Head + "aspp.convs.4.conv_1x1"),
        HuggingFaceConfig.Module(@"aspp\.project", _ => Head + "aspp.project"),
        HuggingFaceConfig.Module("classifier", _ => Head + "classifier"),
    ];

    private static MobileViTStage[] StagesOf(ICheckpoint checkpoint, string prefix, int outputStride)
    {
        DilationPlan.Stage[] plan =
            DilationPlan.Of(2, [1, 2, 2, 2, 2], outputStride, DilationRule.FirstBlockPrevious);
        return
        [
            .. Enumerable.Range(1, Stages).Select(stage =>
            {
                var blocks = new List<InvertedResidual>();
                while (checkpoint.Has(Part(blocks.Count, "expand")))
                {
                    bool first = blocks.Count == 0;
                    int stride = first ? plan[stage - 1].Stride : 1;
                    bool keeps = checkpoint.InputChannels(Part(blocks.Count, "expand"))
                        == checkpoint.Outputs(Part(blocks.Count, "project"));
                    blocks.Add(new InvertedResidual(
                        stride, first ? plan[stage - 1].FirstDilation : 1, 1, 3, stride == 1 && keeps));
                    if (IsMixed(stage))
                        break;
                }
                int layers = 0;
                string transformer = $"{prefix}encoder.layer.{stage - 1}.transformer.layer.";
                while (checkpoint.Has($"{transformer}{layers}.layernorm_after.bias"))
                    layers++;
                return new MobileViTStage(blocks, layers);

                string Part(int block, string part) => $"{Block(prefix, stage, block, part)}.convolution.weight";
            }),
        ];
    }

    private static bool IsMixed(int stage) => stage > 2;

    private static string Block(string prefix, int stage, int block, string part)
    {
        string file = part switch { "expand" => "expand_1x1", "depthwise" => "conv_3x3", _ => "reduce_1x1" };
        string module = IsMixed(stage) ? "downsampling_layer" : $"layer.{block}";
        return $"{prefix}encoder.layer.{stage - 1}.{module}.{file}";
    }

    private static IEnumerable<NameMap.Row> BackboneNames(string prefix, bool isSecond)
    {
        yield return HuggingFaceConfig.Module(@"backbone\.stem", _ => prefix + "conv_stem");
        yield return HuggingFaceConfig.Module(
            @"backbone\.stage(\d)\.(\d+)\.(expand|depthwise|project)",
            match => Block(prefix, match.Number(1), match.Number(2), match.Groups[3].Value));
        yield return HuggingFaceConfig.Module(
            @"backbone\.stage(\d)\.(window|tokens|project|fuse)", match => Layer(match) + match.Groups[2].Value switch
            {
                "window" => "conv_kxk",
                "tokens" => "conv_1x1",
                "project" => "conv_projection",
                _ => "fusion",
            });
        yield return new(@"backbone\.stage(\d)\.norm", match => new("", Layer(match) + "layernorm"));
        yield return new(@"backbone\.stage(\d)\.layer(\d+)\.(\w+)", match =>
        {
            string transformer = $"{Layer(match)}transformer.layer.{match.Number(2)}.", part = match.Groups[3].Value;
            return part switch
            {
                "norm1" => new("", transformer + "layernorm_before"),
                "norm2" => new("", transformer + "layernorm_after"),
                _ => new(transformer + (isSecond ? SecondPart(part) : FirstPart(part)), ""),
            };
        });

        string Layer(Match match) => $"{prefix}encoder.layer.{match.Number(1) - 1}.";
    }

    private static string FirstPart(string part) => part switch
    {
        "attend" => "attention.output.dense",
        "fc1" => "intermediate.dense",
        "fc2" => "output.dense",
        _ => "attention.attention." + part,
    };

    private static string SecondPart(string part) => part switch
    {
        "qkv" => "attention.qkv_proj.convolution",
        "attend" => "attention.out_proj.convolution",
        "fc1" => "ffn.conv1.convolution",
        _ => "ffn.conv2.convolution",
    };
}
