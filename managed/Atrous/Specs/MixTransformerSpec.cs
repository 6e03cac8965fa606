namespace Atrous.Specs;

/// <summary>
/// The Mix Transformer (Xie et al. 2021, SegFormer, arXiv:2105.15203): stages of transformers whose keys and values are
/// of a smaller picture, and whose linear layers have a depthwise convolution between them.
/// </summary>
internal sealed record MixTransformerSpec : BackboneSpec
{
    /// <summary>In forward order.</summary>
    public required IReadOnlyList<MixTransformerStage> Stages { get; init; }
}

/// <summary>A stage: a strided convolution, then transformers.</summary>
/// <param name="Blocks">The number of transformers in it.</param>
/// <param name="Heads">The number of heads of each transformer's attention.</param>
/// <param name="Kernel">The height and width of the first convolution's window.</param>
/// <param name="Stride">The number of input pixels per output pixel of the first convolution.</param>
/// <param name="Dilation">The atrous rate of all its convolutions, those of <paramref name="Reduction"/> too.</param>
/// <param name="Reduction">
/// The height and width of the window that makes one key and value; 1 for none. It moves by as much, where <paramref
/// name="Dilation"/> is 1, else by one.
/// </param>
internal sealed record MixTransformerStage(
    int Blocks, int Heads, int Kernel, int Stride, int Dilation, int Reduction);
