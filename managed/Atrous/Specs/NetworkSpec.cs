using Atrous.Graph;
using Atrous.Graph.Ops;

namespace Atrous.Specs;

/// <summary>
/// A network as data: what a dialect says and a model builds. Channel counts are not here: the weights have them.
/// Everything that the weights cannot tell is: strides, rates, order of concatenation, grids, activations, epsilon.
/// In all specs a member with a default of its own is `set`, not `init`: of what a file leaves out it keeps that.
/// </summary>
internal sealed record NetworkSpec
{
    /// <summary>The feature extractor.</summary>
    public required BackboneSpec Backbone { get; init; }

    /// <summary>From features to logits.</summary>
    public required HeadSpec Head { get; init; }

    /// <summary>Input size / backbone output size: 8, 16 or 32.</summary>
    public required int OutputStride { get; init; }

    /// <summary>Channels of the picture.</summary>
    public required int InputChannels { get; init; }

    /// <summary>Classes that the network scores.</summary>
    public required int Classes { get; init; }

    /// <summary>Grid of the last resize, from the logits to the picture.</summary>
    public required Sampling FinalSampling { get; init; }

    /// <summary>What the original implementation's forward returns.</summary>
    public ForwardResult Forward { get; set; } = ForwardResult.InputSize;

    /// <summary>
    /// The original turns scores into probabilities at the network's input size and resizes those to the picture,
    /// instead of the logits: near borders of classes the label can differ (bubbliiiing).
    /// </summary>
    public bool SoftmaxBeforeResize { get; init; }

    /// <summary>
    /// The original brings the logits to the network's input size, and from there to the picture's (mmsegmentation).
    /// </summary>
    public bool ResizedTwice { get; init; }

    /// <summary>The original slides a window over the picture; null for the picture as a whole.</summary>
    public SlideSpec? Slide { get; init; }

    /// <summary>
    /// Batch norms were folded into the convolutions when the file was written: each has a bias and no norm.
    /// </summary>
    public bool BatchNormFolded { get; init; }

    /// <summary>The picture is scored at other scales too; null for its own size alone.</summary>
    public MultiScaleSpec? MultiScale { get; init; }

    /// <summary>Zeros around a convolution's input.</summary>
    public PaddingStyle Padding { get; set; } = PaddingStyle.Symmetric;
}

/// <summary>What a forward pass of the original returns.</summary>
/// <param name="Factor">
/// The upsampling of the logits by this whole factor; 1 for raw logits, 0 for the input's size.
/// </param>
/// <param name="Cropped">
/// What lies beyond the input's size is cut off afterwards (detectron2), instead of the result being resized to it.
/// </param>
internal readonly record struct ForwardResult(int Factor, bool Cropped = false)
{
    /// <summary>Logits resized to the input's height and width.</summary>
    public static readonly ForwardResult InputSize = new(0);

    /// <summary>Logits as the last convolution makes them.</summary>
    public static readonly ForwardResult Logits = new(1);
}

/// <summary>
/// The element-wise maximum of the logits at several scales, at the size of scale 1's (Chen et al. 2016,
/// arXiv:1606.00915, section 4.1). Resizes are bilinear on the half-pixel grid.
/// </summary>
/// <param name="Scales">The scales beside 1, as factors of height and width, which round down.</param>
/// <param name="RecomputedGrid">
/// The picture is sampled by input size / output size, as PyTorch up to 1.5 did; otherwise by 1 / scale exactly.
/// </param>
internal sealed record MultiScaleSpec(IReadOnlyList<double> Scales, bool RecomputedGrid);

/// <summary>How windows are padded.</summary>
internal enum PaddingStyle
{
    /// <summary>dilation * (kernel - 1) / 2 on every side: PyTorch's habit.</summary>
    Symmetric,

    /// <summary>TensorFlow's SAME: the odd row or column at the bottom or right, none where the windows fit.</summary>
    TensorFlowSame,
}

/// <summary>Which dilation the first block of a stage gets when its stride is traded for dilation.</summary>
internal enum DilationRule
{
    /// <summary>
    /// The new dilation from the first block on (jfzhang95's and yassouali's ResNets, segmentation_models.pytorch).
    /// </summary>
    Full,

    /// <summary>
    /// The dilation of the stage before in the first block, the new one after it (torchvision, VainF, mmsegmentation).
    /// </summary>
    FirstBlockPrevious,

    /// <summary>
    /// The dilation of the stage before in the whole stage, the new one from the next stage on (jfzhang95's
    /// MobileNetV2).
    /// </summary>
    NextStage,
}
