using System.Text.Json.Serialization;
using Atrous.Graph;
using Atrous.Graph.Ops;

namespace Atrous.Specs;

/// <summary>A feature extractor as data, a closed set.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ResNetSpec), "resNet")]
[JsonDerivedType(typeof(DilatedResNetSpec), "dilatedResNet")]
[JsonDerivedType(typeof(InvertedResidualSpec), "invertedResidual")]
[JsonDerivedType(typeof(XceptionSpec), "xception")]
[JsonDerivedType(typeof(DenseNetSpec), "denseNet")]
[JsonDerivedType(typeof(UNetSpec), "uNet")]
[JsonDerivedType(typeof(VggSpec), "vgg")]
[JsonDerivedType(typeof(MobileOneSpec), "mobileOne")]
[JsonDerivedType(typeof(DualPathNetSpec), "dualPathNet")]
[JsonDerivedType(typeof(MobileViTSpec), "mobileViT")]
[JsonDerivedType(typeof(ConvNeXtSpec), "convNeXt")]
[JsonDerivedType(typeof(MixTransformerSpec), "mixTransformer")]
internal abstract record BackboneSpec
{
    /// <summary>For people: "ResNet-101".</summary>
    public required string Name { get; init; }

    /// <summary>Of the batch norms.</summary>
    public double NormEpsilon { get; set; } = 1e-5;

    /// <summary>After every convolution that has one.</summary>
    public Activation Activation { get; set; } = Activation.Relu;

    /// <summary>What heights and widths of its input must be multiples of; mostly 1.</summary>
    [JsonIgnore]
    public virtual int SizeMultiple => 1;

    /// <summary>A height or width, or the next above it that is such a multiple.</summary>
    public int SideFrom(int side) => (side + SizeMultiple - 1) / SizeMultiple * SizeMultiple;

    /// <summary>The same network where sums of branches are stored as one convolution each.</summary>
    public virtual BackboneSpec Merged() => this;
}

/// <summary>
/// Yu, Koltun and Funkhouser 2017, arXiv:1705.09914, form D: a ResNet with convolutions before and behind, no max-pool.
/// </summary>
internal sealed record DilatedResNetSpec : BackboneSpec
{
    /// <summary>In front of the stages.</summary>
    public required IReadOnlyList<StemConvolution> Stem { get; init; }

    /// <summary>The residual stages; its stem is not used.</summary>
    public required ResNetSpec Stages { get; init; }

    /// <summary>One 3x3 convolution behind the stages for each.</summary>
    public required IReadOnlyList<int> ExitDilations { get; init; }
}

/// <summary>A convolution of a stem, with its norm and activation.</summary>
internal readonly record struct StemConvolution(int Kernel, int Stride);

/// <summary>
/// MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) and its relatives: a stem and a list of inverted residual
/// blocks.
/// </summary>
internal sealed record InvertedResidualSpec : BackboneSpec
{
    /// <summary>In forward order.</summary>
    public required IReadOnlyList<InvertedResidual> Blocks { get; init; }

    /// <summary>Activation of the stem; the backbone's own where null.</summary>
    public Activation? StemActivation { get; init; }

    /// <summary>Zeros around the stem's input on each side; null for the network's padding style.</summary>
    public int? StemPadding { get; init; }

    /// <summary>
    /// Zeros are put where TensorFlow's SAME would put them for a square picture of this side, whatever the real size
    /// is (efficientnet_pytorch computes them once, for its nominal size); null for the network's padding style.
    /// </summary>
    public int? PaddedForSide { get; init; }

    /// <summary>The functions of the blocks' gates.</summary>
    public GateSpec Gate { get; set; } = new(Activation.Relu, Activation.HardSigmoid);

    /// <summary>
    /// The zeros that a block's depthwise convolution needs are put around the block's input, in front of the
    /// expansion, so that the depthwise window sees activation(bias) at the border instead of 0 (VainF's and
    /// jfzhang95's MobileNetV2).
    /// </summary>
    public bool PadsBlockInput { get; init; }

    /// <summary>
    /// What makes pictures smaller in place of a block's stride (timm's networks with aa or blur in their names).
    /// </summary>
    public AntiAliasing AntiAliasing { get; init; }

    /// <summary>A 1x1 convolution after the last block.</summary>
    public bool LastConvolution { get; init; }

    /// <summary>The block, counted from 1, whose output is the low-level features.</summary>
    public int LowLevelBlock { get; init; }

    /// <summary>The low-level features are that block's depthwise output, before its projection.</summary>
    public bool LowLevelBeforeProjection { get; init; }
}

/// <summary>A squeeze-and-excitation gate's functions, Hu et al. 2017 (arXiv:1709.01507), figure 3.</summary>
/// <param name="Squeezed">The function after the narrow layer.</param>
/// <param name="Excited">Makes the factors of the channels.</param>
internal sealed record GateSpec(Activation Squeezed, Activation Excited)
{
    /// <summary>The paper's own functions.</summary>
    public static GateSpec Standard { get; } = new(Activation.Relu, Activation.Sigmoid);
}

/// <summary>One inverted residual block: (depthwise), expand, depthwise, (squeeze-excite), project.</summary>
/// <param name="Stride">
/// In the depthwise convolution; where there is none, in the one in front of the expansion, or in the expansion.
/// </param>
/// <param name="Dilation">The atrous rate of the depthwise convolution.</param>
/// <param name="ExpandKernel">1, 3 (fused blocks of EdgeTPU), or 0 for no expansion.</param>
/// <param name="DepthwiseKernel">3, 5, or 0 for no depthwise convolution.</param>
/// <param name="Residual">Whether the block's input is added.</param>
internal sealed record InvertedResidual(int Stride, int Dilation, int ExpandKernel, int DepthwiseKernel, bool Residual)
{
    /// <summary>The backbone's own where null.</summary>
    public Activation? Activation { get; init; }

    /// <summary>A squeeze-and-excite gate (Hu et al. 2017) between depthwise and projection.</summary>
    public bool SqueezeExcite { get; init; }

    /// <summary>
    /// Adds the block's input where it has the output's shape, which its weights tell: narrow networks round the widths
    /// of neighbouring stages to the same number.
    /// </summary>
    public bool ResidualWhereAlike { get; init; }

    /// <summary>
    /// Window of a depthwise convolution without activation in front of the expansion (MobileNetV4, Qin et al. 2024,
    /// arXiv:2404.10518, section 3); 0 for none.
    /// </summary>
    public int StartKernel { get; init; }

    /// <summary>Attention in place of all of the block's convolutions but the last; null for none.</summary>
    public MultiQuery? Attention { get; init; }

    /// <summary>A factor per channel behind the block's last convolution.</summary>
    public bool Scaled { get; init; }

    /// <summary>
    /// A 1x1 convolution without activation ends the block; false where its expansion is all that it has.
    /// </summary>
    public bool Projects { get; set; } = true;
}

/// <summary>
/// Attention whose heads have the same keys and values (Qin et al. 2024, arXiv:2404.10518, section 4).
/// </summary>
/// <param name="Heads">The number of parts of the queries' channels.</param>
/// <param name="Kernel">
/// Window of the depthwise convolutions that halve the picture for keys and values; 0 for none.
/// </param>
internal sealed record MultiQuery(int Heads, int Kernel);

/// <summary>
/// Aligned Xception (Chollet 2016, arXiv:1610.02357; Chen et al. 2018, arXiv:1802.02611, figure 4) in its many
/// editions.
/// </summary>
internal sealed record XceptionSpec : BackboneSpec
{
    /// <summary>Blocks in forward order.</summary>
    public required IReadOnlyList<XceptionBlock> Blocks { get; init; }

    /// <summary>The separable convolutions after the blocks.</summary>
    public required IReadOnlyList<XceptionExit> Exit { get; init; }

    /// <summary>Zeros around the stem's two convolutions' inputs.</summary>
    public int StemPadding { get; set; } = 1;

    /// <summary>An activation follows the stem's second convolution.</summary>
    public bool StemActivated { get; init; }

    /// <summary>A batch norm between depthwise and pointwise convolution.</summary>
    public bool NormBetween { get; set; } = true;

    /// <summary>
    /// Where a block has a stride: in its last separable convolution, or (false) in a max-pool 3x3 after it.
    /// </summary>
    public bool StrideInConvolution { get; set; } = true;

    /// <summary>
    /// What the skip of a block that starts with an activation sees: the original's in-place ReLU has, or has not,
    /// changed it.
    /// </summary>
    public bool ConvolutionSkipActivated { get; init; }

    /// <summary>As <see cref="ConvolutionSkipActivated"/>, for blocks whose skip is the identity.</summary>
    public bool IdentitySkipActivated { get; init; }

    /// <summary>An activation in front of the exit's first convolution.</summary>
    public bool ExitActivatedFirst { get; set; } = true;

    /// <summary>Where the low-level features are taken.</summary>
    public required XceptionTap LowLevel { get; init; }

    /// <summary>The block of <see cref="XceptionTap.LastInput"/>, counted from 1.</summary>
    public int TapBlock { get; set; } = 2;

    /// <summary>
    /// The features are what the last separable convolution of the last block reads; the exit is not used.
    /// </summary>
    public bool EndsAtLastInput { get; init; }
}

/// <summary>Where Xception's low-level features come from.</summary>
internal enum XceptionTap
{
    /// <summary>Block 1's output as it is.</summary>
    Block1,

    /// <summary>Block 2's input: block 1's output after <see cref="XceptionBlock.InputActivation"/>.</summary>
    Block2Input,

    /// <summary>The second separable convolution of block 2, before its activation.</summary>
    Block2Second,

    /// <summary>What the last separable convolution of a block reads, after its activation.</summary>
    LastInput,
}

/// <summary>A block of separable convolutions with a skip.</summary>
/// <param name="Convolutions">The number of separable convolutions, 2 or 3.</param>
/// <param name="Stride">The number of input pixels per output pixel of the whole block.</param>
/// <param name="Dilation">The atrous rate of its depthwise convolutions.</param>
/// <param name="StartsActivated">An activation in front of the first convolution.</param>
/// <param name="ConvolutionSkip">The skip is a 1x1 convolution; the identity otherwise.</param>
internal sealed record XceptionBlock(
    int Convolutions, int Stride, int Dilation, bool StartsActivated, bool ConvolutionSkip)
{
    /// <summary>Dilation of the last convolution where it differs.</summary>
    public int? LastDilation { get; init; }

    /// <summary>An activation on the block's input that the skip sees too.</summary>
    public Activation? InputActivation { get; init; }

    /// <summary>
    /// The separable convolution, counted from 1, that no norm follows (Tramac's last block); 0 for none.
    /// </summary>
    public int Unnormed { get; init; }
}

/// <summary>A separable convolution of the exit flow.</summary>
/// <param name="Dilation">The atrous rate of its depthwise convolution.</param>
/// <param name="Padding">Zeros on every side; null for the network's padding style.</param>
/// <param name="Normed">A batch norm and an activation follow.</param>
/// <param name="ActivatedBetween">An activation between depthwise and pointwise.</param>
internal sealed record XceptionExit(
    int Dilation, int? Padding = null, bool Normed = true, bool ActivatedBetween = false);

/// <summary>
/// DenseNet (Huang et al. 2016, arXiv:1608.06993) as DenseASPP (Yang et al. 2018) dilates it: no strides beyond the
/// output stride.
/// </summary>
internal sealed record DenseNetSpec : BackboneSpec
{
    /// <summary>Layers of each of the four dense blocks: 6,12,24,16 for DenseNet-121.</summary>
    public required IReadOnlyList<int> Blocks { get; init; }

    /// <summary>
    /// Stride of the transition in front of each block, and dilation of the block's 3x3 convolutions.
    /// </summary>
    public required IReadOnlyList<DilationPlan.Stage> Stages { get; init; }

    /// <summary>A transition follows the last block too (DenseASPP's own), and not only those between blocks.</summary>
    public bool LastTransition { get; set; } = true;

    /// <summary>The features are enlarged by this whole factor before they go to the head; 1 for not.</summary>
    public int Upsampling { get; set; } = 1;

    /// <summary>Grid of <see cref="Upsampling"/>.</summary>
    public Sampling UpsamplingGrid { get; init; }
}
