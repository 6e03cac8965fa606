using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// The Xception of DeepLabV3+ (Chen et al. 2018, arXiv:1802.02611, figure 4): three entry blocks, sixteen middle
/// blocks, an exit block and three separable convolutions. Its editions differ in what <see cref="XceptionSpec"/>
/// leaves open.
/// </summary>
internal static class Xception65
{
    /// <summary>
    /// The edition that PyTorch ports inherited from one another: a ReLU stands between blocks 1 and 2, in-place
    /// activations reach the skips, the exit's convolutions have twice the middle's dilation, low-level features are
    /// block 1's.
    /// </summary>
    public static XceptionSpec Spec(int outputStride)
    {
        int dilation = outputStride == 8 ? 2 : 1;
        var middle = new XceptionBlock(3, 1, dilation, StartsActivated: true, ConvolutionSkip: false);
        return new XceptionSpec
        {
            Name = "Xception-65",
            Blocks =
            [
                new XceptionBlock(3, 2, 1, StartsActivated: false, ConvolutionSkip: true),
                new XceptionBlock(3, 2, 1, StartsActivated: false, ConvolutionSkip: true)
                {
                    InputActivation = Activation.Relu,
                },
                new XceptionBlock(3, outputStride == 8 ? 1 : 2, 1, StartsActivated: true, ConvolutionSkip: true),
                .. Enumerable.Repeat(middle, 16),
                middle with { ConvolutionSkip = true },
            ],
            Exit = [.. Enumerable.Repeat(new XceptionExit(2 * dilation), 3)],
            ConvolutionSkipActivated = true,
            IdentitySkipActivated = true,
            LowLevel = XceptionTap.Block1,
        };
    }

    /// <summary>
    /// The edition of bubbliiiing and UniMatch: low-level features from the middle of block 2, in-place activations
    /// that reach the skips of blocks whose skip is the identity and no others, and an exit that is not dilated beyond
    /// the middle's rate, so not at all at output stride 16.
    /// </summary>
    public static XceptionSpec TappedInBlock2(int outputStride)
    {
        XceptionSpec spec = Spec(outputStride);
        return spec with
        {
            StemActivated = true,
            ConvolutionSkipActivated = false,
            Blocks =
            [
                .. spec.Blocks.Select(block => block.InputActivation is null
                    ? block
                    : block with { InputActivation = null, StartsActivated = true }),
            ],
            ExitActivatedFirst = false,
            Exit = [.. Enumerable.Repeat(new XceptionExit(16 / outputStride, ActivatedBetween: true), 3)],
            LowLevel = XceptionTap.Block2Second,
        };
    }
}
