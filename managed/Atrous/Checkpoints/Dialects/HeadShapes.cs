using System.Globalization;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>Heads as the field's papers define them, and the names that many repositories give to their layers.</summary>
internal static class HeadShapes
{
    /// <summary>
    /// DeepLabV3+ of the paper (arXiv:1802.02611): ASPP with image pooling, two dense 3x3 convolutions in the decoder, and
    /// one grid for every resize.
    /// </summary>
    public static DeepLabV3PlusHeadSpec V3Plus(int outputStride, Sampling grid) => new()
    {
        Aspp = new AsppSpec
        {
            Rates = AsppSpec.RatesAt(outputStride),
            ImagePooling = new ImagePoolingSpec { Sampling = grid },
        },
        Sampling = grid,
    };

    /// <summary>ASPP's branches where a file counts them from 1: "aspp.aspp1" and what follows it.</summary>
    public static NameMap.Row BranchesFromOne(string branch, string convolution, string norm) =>
        new(@"aspp\.branch(\d)", match =>
        {
            int number = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) + 1;
            string name = string.Create(CultureInfo.InvariantCulture, $"{branch}{number}");
            return new LayerNames(name + convolution, name + norm);
        });

    /// <summary>torchvision's dense ASPP under a prefix: convs.{0..3}.0 and .1, convs.4.1 and .2, project.0 and .1.</summary>
    public static NameMap.Row[] TorchvisionAspp(string prefix) =>
    [
        new(@"aspp\.branch(\d)", prefix + "convs.$1.0", prefix + "convs.$1.1"),
        new(@"aspp\.pool", prefix + "convs.4.1", prefix + "convs.4.2"),
        new(@"aspp\.project", prefix + "project.0", prefix + "project.1"),
    ];
}
