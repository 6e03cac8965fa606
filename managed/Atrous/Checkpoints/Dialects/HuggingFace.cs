using System.Text.RegularExpressions;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Hugging Face transformers' MobileNetV2ForSemanticSegmentation (google/deeplabv3_mobilenet_v2_1.0_513): TensorFlow's
/// padding, batch norm epsilon 1e-3 in the backbone, and the mobile DeepLabV3 head, image pooling and a 1x1 branch. A
/// folder's config.json settles the output stride, the padding and the class names, its preprocessor_config.json how a
/// picture is prepared.
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
        JsonFacts config = checkpoint.ConfigFile();
        int outputStride = choice.OutputStride(config.Or(config.Number("output_stride"), 8), 8, 16, 32);
        bool same = choice.Flag(
            "tf_padding", config.Or(config.Flag("tf_padding"), true),
            "windows are padded as TensorFlow's SAME, with the odd row and column at the end");
        bool firstExpands = checkpoint.Has(Backbone + "conv_stem.expand_1x1.convolution.weight");
        int channels = checkpoint.InputChannels(Stem);
        int classes = checkpoint.Outputs(Classifier);
        PreprocessingSpec halves = Normalisation.Of([0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]).For(channels);
        (PreprocessingSpec preprocessing, IReadOnlyList<string> notes) = HuggingFacePreprocessing.Of(
            checkpoint,
            published: halves with { Resize = new ResizePolicy.ShortSide(545) },
            standard: halves with { Resize = new ResizePolicy.ShortSide(256) });
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = BackboneShapes.MobileNetV2(
                    outputStride, DilationRule.FirstBlockPrevious, firstExpands) with
                {
                    NormEpsilon = HuggingFaceConfig.Epsilon(config, 1e-3),
                    Activation = HuggingFaceConfig.Activation(
                        config, Activation.Relu6, ("relu6", Activation.Relu6), ("relu", Activation.Relu)),
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
                HuggingFaceConfig.Module(@"backbone\.stem", _ => Backbone + "conv_stem.first_conv"),
                HuggingFaceConfig.Module(@"backbone\.block(\d+)\.(expand|depthwise|project)", Block),
                HuggingFaceConfig.Module(@"aspp\.branch0", _ => Head + "conv_aspp"),
                HuggingFaceConfig.Module(@"aspp\.pool", _ => Head + "conv_pool"),
                HuggingFaceConfig.Module(@"aspp\.project", _ => Head + "conv_projection"),
                HuggingFaceConfig.Module("classifier", _ => Head + "classifier"),
            ]),
            Preprocessing = preprocessing,
            PreprocessingSource = HuggingFacePreprocessing.SourceOf(checkpoint),
            Notes = notes,
            ClassNames = HuggingFaceConfig.ClassNamesOf(checkpoint, classes),
            // The image classifier's last convolution is in the file, but no segmentation reads it.
            TrainingOnly = [Backbone + "conv_1x1."],
            ReadWhole = [Backbone, Head],
        };
    }

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
