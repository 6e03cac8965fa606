namespace Atrous.Specs;

/// <summary>
/// MobileViT (Mehta and Rastegari 2021, arXiv:2110.02178) and its second version (2022, arXiv:2206.02680): inverted
/// residual blocks, and transformers between the pixels at one place of their 2x2 patches.
/// </summary>
internal sealed record MobileViTSpec : BackboneSpec
{
    /// <summary>In forward order.</summary>
    public required IReadOnlyList<MobileViTStage> Stages { get; init; }

    /// <summary>Heads of the attention; 0 for the second version's separable self-attention.</summary>
    public required int Heads { get; init; }

    /// <summary>Queries, keys and values come of one layer (timm) rather than of three.</summary>
    public bool FusedQueries { get; init; }

    /// <summary>What layer norms add to the variance.</summary>
    public double LayerNormEpsilon { get; set; } = 1e-5;

    /// <summary>A 1x1 convolution after the last stage.</summary>
    public bool LastConvolution { get; init; }

    /// <summary>The stage, counted from 1, whose output is the low-level features; 0 for none.</summary>
    public int LowLevelStage { get; init; }
}

/// <summary>Inverted residual blocks, and what transformer follows them.</summary>
/// <param name="Blocks">The blocks in forward order.</param>
/// <param name="Transformers">The number of layers of the transformer; 0 for none.</param>
/// <param name="Dilation">The atrous rate of the convolution in front of the transformer.</param>
internal sealed record MobileViTStage(IReadOnlyList<InvertedResidual> Blocks, int Transformers, int Dilation = 1);
