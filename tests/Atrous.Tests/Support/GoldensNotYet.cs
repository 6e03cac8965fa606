namespace Atrous.Tests.Support;

/// <summary>
/// Cases of the second set of goldens whose networks Atrous does not read yet. Whoever adds a network takes its lines
/// away, and every test of goldens then has its cases.
/// </summary>
internal static class GoldensNotYet
{
    public static readonly HashSet<string> Names =
    [
        // other repositories
        "adaptsegnet_deeplab_multi_resnet101_97x129",
        "adaptsegnet_deeplab_vgg16_97x129",
        "tramac_deeplabv3_plus_xception_aux_96x128",
        "tramac_deeplabv3_resnet101_97x129",
        "tramac_denseaspp_densenet121_97x129",
        "unimatch_resnet101_96x128",
        "unimatch_resnet50_os8_97x129",
        "unimatch_xception_97x129",
    ];
}
