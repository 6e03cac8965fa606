namespace Atrous.Specs;

/// <summary>
/// Dual path networks, Chen et al. 2017 (arXiv:1707.01629): channels that are added to, as in a ResNet, beside channels
/// that are appended to, as in a DenseNet.
/// </summary>
internal sealed record DualPathNetSpec : BackboneSpec
{
    /// <summary>Window of the stem: 7, or 3 in the small networks.</summary>
    public required int StemKernel { get; init; }

    /// <summary>In forward order.</summary>
    public required IReadOnlyList<DualPathStage> Stages { get; init; }

    /// <summary>A block's last layer is two convolutions, one a path, rather than one whose channels are cut.</summary>
    public bool TwoEnds { get; init; }

    /// <summary>A batch norm and an activation end the network; an activation alone otherwise.</summary>
    public bool LastNorm { get; set; } = true;
}

/// <summary>A stage of a dual path network.</summary>
/// <param name="Blocks">The number of its blocks.</param>
/// <param name="Width">The number of channels that are added to.</param>
/// <param name="Growth">The number of channels that a block appends.</param>
/// <param name="Plan">The stride and the dilation.</param>
internal sealed record DualPathStage(int Blocks, int Width, int Growth, DilationPlan.Stage Plan);
