using System.Text.RegularExpressions;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Hugging Face transformers' MobileNetV2ForSemanticSegmentation (google/deeplabv3_mobilenet_v2_1.0_513): TensorFlow's
/// padding, batch norm epsilon 1e-3 in the backbone, and the mobile DeepLabV3 head, image pooling and a 1x1 branch. A
/// folder's config.json settles the output stride, the padding and the class names.
/// </summary>
internal sealed class HuggingFace : Dialect
{
    private const string Backbone = "mobilenet_v2.", Head = "segmentation_head.";
    private const string Stem = Backbone + "conv_stem.first_conv.convolution.weight";
    private const string Branch = Head + "conv_aspp.convolution.weight", Classifier =
        Head + "classifier.convolution.weight";

    public override string Name => "HuggingFace";

    public override string? Recognise(ICheckpoint checkpoint) => Evidence.Keys(checkpoint, Stem, Branch, Classifier);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        int outputStride = choice.OutputStride(checkpoint.ConfigNumber("output_stride") ?? 8, 8, 16, 32);
        bool same = choice.Flag(
            "tf_padding", checkpoint.ConfigFlag("tf_padding") ?? true,
            "windows are padded as TensorFlow's SAME, with the odd row and column at the end");
        bool firstExpands = checkpoint.Has(Backbone + "conv_stem.expand_1x1.convolution.weight");
        int channels = checkpoint.InputChannels(Stem);
        int classes = checkpoint.Outputs(Classifier);
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = BackboneShapes.MobileNetV2(
                    outputStride, DilationRule.FirstBlockPrevious, firstExpands) with
                {
                    NormEpsilon = checkpoint.ConfigReal("layer_norm_eps") ?? 1e-3,
                },
                Head = new DeepLabV3HeadSpec { Aspp = new AsppSpec { Rates = [], PoolFirst = true } },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.HalfPixel,
                Forward = ForwardResult.Logits,
                Padding = same ? PaddingStyle.TensorFlowSame : PaddingStyle.Symmetric,
            },
            Names = new NameMap(
            [
                Module(@"backbone\.stem", _ => Backbone + "conv_stem.first_conv"),
                Module(@"backbone\.block(\d+)\.(expand|depthwise|project)", Block),
                Module(@"aspp\.branch0", _ => Head + "conv_aspp"),
                Module(@"aspp\.pool", _ => Head + "conv_pool"),
                Module(@"aspp\.project", _ => Head + "conv_projection"),
                Module("classifier", _ => Head + "classifier"),
            ]),
            Preprocessing = Normalisation.Of([0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]).For(channels) with
            {
                Resize = new ResizePolicy.ShortSide(545),
            },
            ClassNames = checkpoint.ConfigClassNames(classes) is { Length: > 0 } names
                ? names
                : ClassNames.OfSize(classes, ClassNames.Voc),
            // The image classifier's last convolution is in the file, but no segmentation reads it.
            TrainingOnly = [Backbone + "conv_1x1."],
        };
    }

    private static NameMap.Row Module(string pattern, Func<Match, string> name) =>
        HeadNames.Parts(pattern, name, ".convolution", ".normalization");

    // Block 1 belongs to the stem there, so layer 0 is block 2.
    private static string Block(Match match)
    {
        int layer = match.Number(1) - 2;
        string part =
            match.Groups[2].Value switch { "expand" => "expand_1x1", "depthwise" => "conv_3x3", _ => "reduce_1x1" };
        string module = layer < 0 ? "conv_stem" : $"layer.{layer}";
        return $"{Backbone}{module}.{part}";
    }
}
