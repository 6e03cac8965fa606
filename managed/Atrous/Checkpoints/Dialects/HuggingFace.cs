using System.Globalization;
using System.Text.RegularExpressions;
using Atrous.Graph;
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
    private const string Branch = Head + "conv_aspp.convolution.weight", Classifier = Head
        + "classifier.convolution.weight";

    public override string Name => "HuggingFace";

    public override string? Recognise(ICheckpoint checkpoint) => checkpoint.Evidence(Stem, Branch, Classifier);

    public override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        int outputStride = choice.OutputStride(checkpoint.ConfigNumber("output_stride") ?? 8, 8, 16, 32);
        bool same = choice.Flag(
            "tf_padding", checkpoint.ConfigFlag("tf_padding") ?? true,
            "windows are padded as TensorFlow's SAME, with the odd row and column at the end");
        bool firstExpands = checkpoint.Weights.ContainsKey(Backbone + "conv_stem.expand_1x1.convolution.weight");
        int channels = checkpoint.InputChannels(Stem);
        int classes = checkpoint.Outputs(Classifier);
        return new ModelDescription
        {
            Dialect = Name,
            Evidence = Recognise(checkpoint)!,
            Network = new NetworkSpec
            {
                Backbone = new InvertedResidualSpec
                {
                    Name = "MobileNetV2",
                    NormEpsilon = checkpoint.ConfigReal("layer_norm_eps") ?? 1e-3,
                    Activation = Activation.Relu6,
                    Blocks = BackboneShapes.MobileNetV2(outputStride, DilationRule.FirstBlockPrevious, firstExpands),
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
            Preprocessing = new PreprocessingSpec
            {
                Scale = 1f / 255f,
                Mean = [0.5f, 0.5f, 0.5f],
                Std = [0.5f, 0.5f, 0.5f],
                Resize = new ResizePolicy.ShortSide(545),
            }.For(channels),
            ClassNames = checkpoint.ConfigClassNames(classes) is { Length: > 0 } names
                ? names
                : ClassNames.OfSize(classes, ClassNames.Voc),
            Switches = choice.Switches,
            // The image classifier's last convolution is in the file, but no segmentation reads it.
            TrainingOnly = [Backbone + "conv_1x1."],
        };
    }

    private static NameMap.Row Module(string pattern, Func<Match, string> name) =>
        new(pattern, match => new LayerNames(name(match) + ".convolution", name(match) + ".normalization"));

    // Block 1 belongs to the stem there, so layer 0 is block 2.
    private static string Block(Match match)
    {
        int layer = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) - 2;
        string part =
            match.Groups[2].Value switch { "expand" => "expand_1x1", "depthwise" => "conv_3x3", _ => "reduce_1x1" };
        string module = layer < 0 ? "conv_stem" : string.Create(CultureInfo.InvariantCulture, $"layer.{layer}");
        return $"{Backbone}{module}.{part}";
    }
}
