using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Atrous's own safetensors: the metadata says what the weights cannot (blocks, strides, grids, activations,
/// pre-processing, class names). <see cref="SelfDescribingFile"/> is its second version; read here is the first, for
/// MobileNetV2 and MobileNet-EdgeTPU with folded batch norms.
/// </summary>
internal sealed class SelfDescribing : Dialect
{
    private static readonly int[] OutputStrides = [8, 16, 32];

    public override string Name => "atrous";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.MetadataValue(checkpoint, SelfDescribingFile.VersionKey)
        ?? Evidence.Metadata(checkpoint, "architecture", "blocks");

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        ModelDescription description = checkpoint.Metadata.ContainsKey(SelfDescribingFile.VersionKey)
            ? SelfDescribingFile.Describe(checkpoint, choice)
            : OfFirstVersion(checkpoint, choice);
        if (SelfDescribingFile.ThresholdOf(checkpoint) is not { } stored)
            return description;
        var threshold = new Standard<double>(stored, "metadata");
        if (description.Network.Classes == 1)
            return description with { Threshold = choice.ForegroundThreshold(threshold) };
        return SelfDescribingFile.IsMultiLabel(checkpoint)
            && choice.IsMultiLabel(new Standard<bool>(true, "metadata"))
            ? description with { Threshold = choice.LabelThreshold(threshold) }
            : description;
    }

    private static ModelDescription OfFirstVersion(ICheckpoint checkpoint, DialectChoice choice)
    {
        var metadata = new MetadataEntries(checkpoint);
        bool plus = metadata.OneOf("architecture", "deeplabv3", "deeplabv3plus") == "deeplabv3plus";
        bool edge = checkpoint.Has("backbone.conv_stem.weight");
        string stem = edge ? "backbone.conv_stem.weight" : "backbone.features.0.0.weight";
        Sampling sampling = metadata.Flag("align_corners") ? Sampling.AlignCorners
            : metadata.Flag("half_pixel_centers", standard: true) ? Sampling.HalfPixel
            : Sampling.Asymmetric;
        int stated = metadata.Number("output_stride");
        AsppSpec aspp = HeadShapes.Aspp(metadata.Numbers("aspp_rates"), sampling) with
        {
            Activation = metadata.Activation("head_activation"),
        };
        int outputStride = choice.OutputStride(
            new(stated, "metadata"), [.. OutputStrides.Where(stride => stride <= stated)]);
        InvertedResidualSpec backbone = Backbone(metadata, checkpoint, edge, plus, outputStride);
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone,
                Head = plus
                    ? new DeepLabV3PlusHeadSpec
                    {
                        Aspp = aspp,
                        Style = ConvolutionStyle.SeparableNormed,
                        Activation = aspp.Activation,
                        Sampling = sampling,
                    }
                    : new DeepLabV3HeadSpec { Aspp = aspp },
                OutputStride = outputStride,
                InputChannels = checkpoint.InputChannels(stem),
                Classes = checkpoint.Outputs("classifier.weight"),
                FinalSampling = sampling,
                Forward = ForwardResult.Logits,
                BatchNormFolded = true,
                Padding = metadata.Starts("padding", "tf_same") ? PaddingStyle.TensorFlowSame : PaddingStyle.Symmetric,
            },
            Names = Names(edge, backbone.Blocks),
            Preprocessing = metadata.Preprocessing(),
            PreprocessingSource = Switch.File,
            ClassNames = metadata.Names("class_names"),
        };
    }

    private static InvertedResidualSpec Backbone(
        MetadataEntries metadata, ICheckpoint checkpoint, bool edge, bool plus, int outputStride) => new()
        {
            Name = metadata.Text("backbone"),
            Activation = metadata.Activation("activation"),
            // They are stored with the strides and dilations of one output stride; a smaller one follows from them.
            Blocks = DilationPlan.Denser(2, metadata.Blocks(), outputStride),
            LastConvolution =
                checkpoint.Has(edge ? "backbone.conv_head.weight" : "backbone.features.18.0.weight"),
            LowLevelBlock = plus ? metadata.Number("low_level_block") : 0,
            LowLevelBeforeProjection = true,
        };

    private static NameMap Names(bool edge, IReadOnlyList<InvertedResidual> blocks) => new(
    [
        .. edge ? EdgeNames(blocks) : BackboneNames.MobileNetV2(_ => "backbone.features."),
        new(@"aspp\.branch(\d)", "aspp.convs.$1"),
        new(@"decoder\.fuse(\d)\.(depthwise|pointwise)", "decoder.conv$1.$2"),
    ]);

    /// <summary>MobileNet-EdgeTPU as timm names it: a dense 3x3 expansion is conv_exp, a 1x1 one conv_pw.</summary>
    private static NameMap.Row[] EdgeNames(IReadOnlyList<InvertedResidual> blocks) =>
    [
        new(@"backbone\.stem", "backbone.conv_stem"),
        new(@"backbone\.last", "backbone.conv_head"),
        new(@"backbone\.block(\d+)\.(expand|depthwise|project)", match =>
        {
            int block = match.Number(1) - 1;
            string part = match.Groups[2].Value switch
            {
                "depthwise" => "conv_dw",
                "project" => "conv_pwl",
                _ => blocks[block].ExpandKernel == 1 ? "conv_pw" : "conv_exp",
            };
            string name = $"backbone.blocks.{block}.{part}";
            return new LayerNames(name, name);
        }),
    ];
}
