namespace Atrous.Specs;

/// <summary>
/// ConvNeXt (Liu et al. 2022, arXiv:2201.03545): wide depthwise convolutions, layer norms, and two linear layers.
/// </summary>
internal sealed record ConvNeXtSpec : BackboneSpec
{
    /// <summary>Blocks of each stage.</summary>
    public required IReadOnlyList<int> Blocks { get; init; }

    /// <summary>Stride and dilation of each stage; the first dilation is the down-sampling's.</summary>
    public required IReadOnlyList<DilationPlan.Stage> Stages { get; init; }

    /// <summary>What layer norms add to the variance.</summary>
    public double LayerNormEpsilon { get; set; } = 1e-6;

    /// <summary>Global response normalisation between the linear layers (ConvNeXt V2, arXiv:2301.00808).</summary>
    public bool ResponseNorms { get; init; }

    /// <summary>A factor per channel in front of each block's sum.</summary>
    public bool ScaledBlocks { get; set; } = true;
}
