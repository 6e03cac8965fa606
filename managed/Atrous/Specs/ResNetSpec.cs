namespace Atrous.Specs;

/// <summary>
/// He et al. 2015, arXiv:1512.03385, with stride traded for dilation in the last stages, and the many networks that are
/// made like it. Groups of convolutions are not here: the weights have them.
/// </summary>
internal sealed record ResNetSpec : BackboneSpec
{
    /// <summary>Blocks of each of the stages: 3,4,23,3 for ResNet-101.</summary>
    public required IReadOnlyList<int> Blocks { get; init; }

    /// <summary>Stride and dilation of each stage.</summary>
    public required IReadOnlyList<DilationPlan.Stage> Stages { get; init; }

    /// <summary>1x1, 3x3, 1x1 blocks (ResNet-50 and up) rather than 3x3, 3x3.</summary>
    public bool Bottleneck { get; set; } = true;

    /// <summary>Leading stages whose blocks are 3x3, 3x3 although the others are bottlenecks (GENet).</summary>
    public int BasicStages { get; init; }

    /// <summary>Convolutions of the stem: one 7x7, or three 3x3 (the "deep" stem of ResNet-C).</summary>
    public int StemConvolutions { get; set; } = 1;

    /// <summary>The stem is one 3x3 convolution and has no max-pool (RegNet, GENet).</summary>
    public bool SmallStem { get; init; }

    /// <summary>A 3x3 convolution with a stride stands for the stem's max-pool (ResNet-RS).</summary>
    public bool ConvolvedPool { get; init; }

    /// <summary>The Caffe layout: a bottleneck's stride sits in its first 1x1 convolution, not in the 3x3.</summary>
    public bool StrideInFirstConvolution { get; init; }

    /// <summary>The max-pool rounds its size up, as Caffe does.</summary>
    public bool CeilModePool { get; init; }

    /// <summary>Cells around the max-pool's input.</summary>
    public int PoolPadding { get; set; } = 1;

    /// <summary>Of a basic block's two convolutions only the first is dilated (mmsegmentation).</summary>
    public bool OnlyFirstDilated { get; init; }

    /// <summary>Multiplies the dilation of the last stage's blocks; null for 1,1,1.</summary>
    public IReadOnlyList<int>? MultiGrid { get; init; }

    /// <summary>What stands for the 3x3 convolution of a block (a basic block's first).</summary>
    public ResidualWindow Window { get; init; }

    /// <summary>Slices of <see cref="ResidualWindow.MultiScale"/>.</summary>
    public int Scales { get; set; } = 1;

    /// <summary>Each convolution of <see cref="ResidualWindow.SelectiveKernels"/> sees half of the channels.</summary>
    public bool SplitsInput { get; init; }

    /// <summary>
    /// Where they are dilated, both convolutions of <see cref="ResidualWindow.SelectiveKernels"/> have the same reach
    /// (segmentation_models.pytorch); the second has twice the first's otherwise.
    /// </summary>
    public bool EqualReachWhenDilated { get; init; }

    /// <summary>Convolutions of the same input in <see cref="ResidualWindow.SplitAttention"/> (its radix).</summary>
    public int Splits { get; set; } = 2;

    /// <summary>Groups of each of the <see cref="Splits"/> (their cardinality), and of what scores them.</summary>
    public int SplitGroups { get; set; } = 1;

    /// <summary>A stride is that of a mean in front of the <see cref="Splits"/>, not behind them.</summary>
    public bool PoolsBeforeSplits { get; init; }

    /// <summary>A gate in every block; null for none.</summary>
    public GateSpec? Gate { get; init; }

    /// <summary>
    /// A gate in every block whose factors come from a window along the means of the channels (ECA-Net, Wang et al.
    /// 2019, arXiv:1910.03151, section 3.2).
    /// </summary>
    public bool ChannelGates { get; init; }

    /// <summary>The gate follows the 3x3 convolution (RegNet), not the block's last one (SE-ResNet).</summary>
    public bool GateInside { get; init; }

    /// <summary>Window of the shortcuts' convolutions behind the first stage: 1, or 3 (SENet-154).</summary>
    public int ShortcutKernel { get; set; } = 1;

    /// <summary>
    /// A shortcut's stride is that of a 2x2 mean in front of its convolution (ResNet-D, He et al. 2018,
    /// arXiv:1812.01187). Where the stride is traded for dilation the mean stays, at stride 1, and counts the zeros
    /// below and to the right of the picture.
    /// </summary>
    public bool PooledShortcut { get; init; }

    /// <summary>
    /// Where the stride is traded for dilation, <see cref="PooledShortcut"/> has no mean (mmsegmentation).
    /// </summary>
    public bool NoPoolWhenDilated { get; init; }

    /// <summary>
    /// What makes pictures smaller in place of a stride (timm's networks with aa or blur in their names): behind the
    /// max-pool, or for a mean in place of it, and behind the window of a block. A block that would have a stride but
    /// for dilation blurs too.
    /// </summary>
    public AntiAliasing AntiAliasing { get; init; }

    /// <summary>A 1x1 convolution after the last block (GENet).</summary>
    public bool LastConvolution { get; init; }
}

/// <summary>What stands for a residual block's 3x3 convolution.</summary>
internal enum ResidualWindow
{
    /// <summary>The convolution itself, in as many groups as its weights say.</summary>
    Convolution,

    /// <summary>Slices that are convolved one after the other (Res2Net).</summary>
    MultiScale,

    /// <summary>Convolutions of the same input, weighed by what is in the picture (ResNeSt).</summary>
    SplitAttention,

    /// <summary>Two convolutions of different reach, weighed likewise (SK-ResNet).</summary>
    SelectiveKernels,
}
