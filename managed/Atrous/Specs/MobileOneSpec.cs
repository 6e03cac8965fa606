namespace Atrous.Specs;

/// <summary>
/// MobileOne, Vasu et al. 2022 (arXiv:2206.04040): depthwise and pointwise convolutions, each trained as a sum of
/// branches.
/// </summary>
internal sealed record MobileOneSpec : BackboneSpec
{
    /// <summary>Blocks of each of the stages: 2,8,10,1.</summary>
    public required IReadOnlyList<int> Blocks { get; init; }

    /// <summary>Stride and dilation of each stage.</summary>
    public required IReadOnlyList<DilationPlan.Stage> Stages { get; init; }

    /// <summary>Branches with the whole window; 0 where the file has them merged into one convolution.</summary>
    public required int Branches { get; init; }

    /// <summary>Stages whose first pointwise convolution makes as many channels as it reads, and has a skip.</summary>
    public IReadOnlyList<bool> KeepsWidth { get; set; } = [];

    /// <summary>The number of last blocks in each stage that have gates; none where the list ends.</summary>
    public IReadOnlyList<int> Gated { get; set; } = [];

    /// <summary>The functions of the gates.</summary>
    public GateSpec Gate { get; set; } = GateSpec.Standard;

    public override BackboneSpec Merged() => this with { Branches = 0 };
}

/// <summary>
/// The branches that a convolution was trained as (Ding et al. 2021, arXiv:2101.03697), each with its batch norm.
/// </summary>
/// <param name="Count">The number of convolutions with the whole window.</param>
/// <param name="Scale">A 1x1 convolution as well.</param>
/// <param name="Skip">The input itself as well, with a batch norm alone.</param>
internal readonly record struct BranchSpec(int Count, bool Scale, bool Skip);
