namespace Atrous.Specs;

/// <summary>
/// VGG (Simonyan and Zisserman 2014, arXiv:1409.1556) as DeepLab dilates it (Chen et al. 2014, arXiv:1412.7062, section
/// 3.1): 3x3 convolutions with a bias and no norm, and max-pools of 2x2 between some stages.
/// </summary>
internal sealed record VggSpec : BackboneSpec
{
    /// <summary>In forward order; the former fully connected layers are the last.</summary>
    public required IReadOnlyList<VggStage> Stages { get; init; }
}

/// <summary>Convolutions of one size.</summary>
/// <param name="Convolutions">How many convolutions there are.</param>
/// <param name="Dilation">The atrous rate of all of them.</param>
/// <param name="Pooled">A max-pool of 2x2, at stride 2, follows them.</param>
internal readonly record struct VggStage(int Convolutions, int Dilation, bool Pooled);
