using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>Heads as the field's papers define them.</summary>
internal static class HeadShapes
{
    /// <summary>
    /// DeepLabV3+ of the paper (arXiv:1802.02611): ASPP with image pooling, two dense 3x3 convolutions in the decoder,
    /// and one grid for every resize.
    /// </summary>
    public static DeepLabV3PlusHeadSpec V3Plus(int outputStride, Sampling grid) => new()
    {
        Aspp = new AsppSpec
        {
            Rates = AsppSpec.StandardRates(outputStride),
            ImagePooling = new ImagePoolingSpec { Sampling = grid },
        },
        Sampling = grid,
    };
}
