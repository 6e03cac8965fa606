using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// ArronHZG/segmentation-pytorch: LeakyReLU(0.01) in backbone and decoder, low-level features last. It published no
/// weights.
/// </summary>
internal sealed class ArronHzg : AsspLineage
{
    public override string Name => "ArronHZG";

    protected override LayerNames LowLevel => new("decoder.low_level_conv.0", "decoder.low_level_conv.1");

    protected override Activation Activation => Activation.LeakyRelu(0.01f);

    protected override bool LowLevelFirst => false;

    protected override (PreprocessingSpec Preprocessing, IReadOnlyList<string> ClassNames) Training(
        NetworkSpec network, DialectChoice choice) =>
        (network.InputChannels == 4 ? Rssrai : Normalisation.ImageNet(network.InputChannels), []);

    /// <summary>
    /// The repository's statistics of the four bands of the RSSRAI aerial pictures, in their files' order.
    /// </summary>
    private static readonly PreprocessingSpec Rssrai = Normalisation.Of(
        [0.52891074f, 0.38070734f, 0.40119018f, 0.36884733f], [0.24007008f, 0.23784f, 0.22267079f, 0.21865861f]);
}
