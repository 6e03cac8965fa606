using System.Text.Json.Serialization;
using Atrous.Graph;
using Atrous.Graph.Ops;

namespace Atrous.Specs;

/// <summary>From features to logits, as data, a closed set.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(DeepLabV3HeadSpec), "deepLabV3")]
[JsonDerivedType(typeof(DeepLabV3PlusHeadSpec), "deepLabV3Plus")]
[JsonDerivedType(typeof(DeepLabV2HeadSpec), "deepLabV2")]
[JsonDerivedType(typeof(DenseAsppHeadSpec), "denseAspp")]
internal abstract record HeadSpec
{
    /// <summary>For people: "DeepLabV3+".</summary>
    public abstract string Name { get; }

    /// <summary>Of the batch norms.</summary>
    public double NormEpsilon { get; set; } = 1e-5;
}

/// <summary>How a 3x3 convolution of a head is made.</summary>
internal enum ConvolutionStyle
{
    /// <summary>One dense convolution.</summary>
    Dense,

    /// <summary>Depthwise then pointwise, with nothing between.</summary>
    Separable,

    /// <summary>Depthwise then pointwise, each with its batch norm and activation.</summary>
    SeparableNormed,
}

/// <summary>Atrous spatial pyramid pooling, Chen et al. 2017 (arXiv:1706.05587), section 3.3.</summary>
internal sealed record AsppSpec
{
    /// <summary>
    /// Atrous rates of the 3x3 branches; empty for the mobile form with the 1x1 branch and image pooling alone.
    /// </summary>
    public required IReadOnlyList<int> Rates { get; init; }

    /// <summary>Image pooling, or null for none.</summary>
    public ImagePoolingSpec? ImagePooling { get; set; } = new();

    /// <summary>Of the 3x3 branches.</summary>
    public ConvolutionStyle Style { get; init; }

    /// <summary>
    /// The pooled branch comes first in the concatenation (TensorFlow, mmsegmentation) rather than last.
    /// </summary>
    public bool PoolFirst { get; init; }

    /// <summary>Kernel of the projection after the concatenation: 1, or 3 (mmsegmentation's bottleneck).</summary>
    public int ProjectionKernel { get; set; } = 1;

    /// <summary>The convolutions have a bias in front of their batch norm.</summary>
    public bool Bias { get; init; }

    /// <summary>After every branch and the projection.</summary>
    public Activation Activation { get; set; } = Activation.Relu;

    /// <summary>
    /// 6, 12, 18 at output stride 16 and twice that at 8 (Chen et al. 2017, arXiv:1706.05587, section 4.1).
    /// </summary>
    public static int[] StandardRates(int outputStride) => outputStride == 8 ? [12, 24, 36] : [6, 12, 18];
}

/// <summary>The image-level branch: average pooling, 1x1 convolution, resize back.</summary>
internal sealed record ImagePoolingSpec
{
    /// <summary>Grid of the resize back to the features' size (no matter after global pooling).</summary>
    public Sampling Sampling { get; init; }

    /// <summary>Window of the pooling in feature pixels; null for the whole picture.</summary>
    public (int Height, int Width)? Window { get; init; }

    /// <summary>The 1x1 convolution has a bias and no batch norm.</summary>
    public bool BiasWithoutNorm { get; init; }
}

/// <summary>DeepLabV3: ASPP, (3x3 convolution), classifier. Chen et al. 2017, arXiv:1706.05587.</summary>
internal sealed record DeepLabV3HeadSpec : HeadSpec
{
    public override string Name => "DeepLabV3";

    public required AsppSpec Aspp { get; init; }

    /// <summary>The 3x3 convolution between ASPP and the classifier; null for none.</summary>
    public ConvolutionStyle? Hidden { get; init; }
}

/// <summary>
/// DeepLabV3+: ASPP, decoder with low-level features, classifier. Chen et al. 2018, arXiv:1802.02611.
/// </summary>
internal sealed record DeepLabV3PlusHeadSpec : HeadSpec
{
    public override string Name => "DeepLabV3+";

    public required AsppSpec Aspp { get; init; }

    /// <summary>3x3 convolutions after the concatenation: 1 or 2.</summary>
    public int FuseConvolutions { get; set; } = 2;

    /// <summary>Window of the fuse convolutions, where they are separable: 3 or 5.</summary>
    public int FuseKernel { get; set; } = 3;

    /// <summary>Of the fuse convolutions, and of the one between ASPP and the resize.</summary>
    public ConvolutionStyle Style { get; init; }

    /// <summary>Concatenation order: low-level features first (VainF, yassouali, detectron2) or last.</summary>
    public bool LowLevelFirst { get; init; }

    /// <summary>After the fuse convolutions. The low-level projection always has a ReLU.</summary>
    public Activation Activation { get; set; } = Activation.Relu;

    /// <summary>Grid of the resize of ASPP's output to the low-level size.</summary>
    public required Sampling Sampling { get; init; }

    /// <summary>The convolutions have a bias in front of their batch norm.</summary>
    public bool Bias { get; init; }

    /// <summary>A 3x3 convolution between ASPP and the resize (segmentation_models.pytorch).</summary>
    public bool AfterAspp { get; init; }

    /// <summary>Window of the low-level projection: 1, or 3 (Tramac).</summary>
    public int LowLevelKernel { get; set; } = 1;
}

/// <summary>
/// DeepLabV2: atrous 3x3 convolutions straight to the classes, summed. Chen et al. 2016, arXiv:1606.00915.
/// </summary>
internal sealed record DeepLabV2HeadSpec : HeadSpec
{
    public override string Name => "DeepLabV2";

    /// <summary>Atrous rate of each branch.</summary>
    public required IReadOnlyList<int> Rates { get; init; }
}

/// <summary>DenseASPP: each atrous convolution sees the results of all before it. Yang et al. 2018, CVPR.</summary>
internal sealed record DenseAsppHeadSpec : HeadSpec
{
    public override string Name => "DenseASPP";

    /// <summary>Atrous rates in forward order.</summary>
    public required IReadOnlyList<int> Rates { get; init; }

    /// <summary>
    /// Norms and activations follow the convolutions (Tramac), instead of standing in front of them.
    /// </summary>
    public bool NormsFollow { get; init; }
}
