using Atrous.Backends.Cuda;
using Atrous.Cuda.Tests.Support;
using Atrous.Tests.Models;
using Atrous.Tests.Support;
using Atrous.Verification;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>Whole networks against the outputs of the original implementations.</summary>
public sealed class GoldenTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>
    /// Set to 1 every golden runs under every strictness in every precision, which takes the software device an hour;
    /// otherwise each under one, so that all of them come.
    /// </summary>
    private const string StrictVariable = "ATROUS_TEST_ALL_STRICT";

    /// <summary>Set to 1 the software device runs every golden too, which takes it some minutes.</summary>
    private const string AllVariable = "ATROUS_TEST_ALL_GOLDENS";

    /// <summary>
    /// At least one of every dialect, backbone and head, that the software device finishes in some seconds.
    /// </summary>
    private static readonly string[] OnSoftware =
    [
        "arronhzg_resnet50_os16_97x129", "arronhzg_resnet101_os16_97x129", "arronhzg_xception_os16_97x129",
            "bubbliiiing_mobilenet_os16_97x129",
        "denseaspp_121_os8_96x128", "denseaspp_mobile_os16_96x128", "detectron2_deeplabv3plus_R103_os16_pool6x8_96x128",
        "detectron2_deeplabv3plus_R103_os16_poolglobal_97x129", "hf_mobilenetv2_deeplabv3_os16_97x129",
            "hf_mobilenetv2_deeplabv3_os8_notfpad_96x128",
        "jfzhang95_drn_d_54_os8_97x129", "jfzhang95_mobilenet_os16_97x129", "kazuto1011_deeplabv2_resnet101_msc_97x129",
        "kazuto1011_deeplabv2_resnet101_nomsc_96x128", "mmseg_deeplabv3plus_r50-d8_noac_97x129",
            "smp_deeplabv3_mobilenet_v2_os8_96x128",
        "smp_deeplabv3_se_resnext50_32x4d_os8_96x128", "smp_deeplabv3plus_dpn68_os8_96x128",
            "smp_deeplabv3plus_mobileone_s0_os16_96x128", "smp_deeplabv3plus_se_resnet50_os16_96x128",
        "smp_deeplabv3plus_timm-gernet_s_os16_96x128", "smp_deeplabv3plus_timm-regnety_016_os16_96x128",
            "smp_deeplabv3plus_timm-res2net50_26w_4s_os8_96x128", "smp_deeplabv3plus_timm-resnest50d_os8_96x128",
        "smp_deeplabv3plus_timm-skresnet18_os16_96x128", "smp_deeplabv3plus_tu-xception41_os16_96x128",
        "smp_deeplabv3plus_efficientnet-b0_os8_4ch_1class_96x128",
            "smp_deeplabv3plus_timm-mobilenetv3_large_100_os8_4ch_1class_96x128",
            "smp_deeplabv3plus_tu-mobilenetv4_conv_small_os16_96x128",
            "smp_deeplabv3plus_tu-tf_efficientnetv2_b0_os16_96x128",
        "smp_deeplabv3plus_resnet50_os16_96x128", "torchvision_deeplabv3_mobilenet_v3_large_97x129",
            "vainf_deeplabv3plus_mobilenet_os16_97x129",
        "smp_deeplabv3plus_mit_b0_os16_96x128", "smp_deeplabv3plus_tu-mobilevit_s_os16_96x128",
            "smp_deeplabv3plus_tu-convnext_tiny_os16_96x128", "hf_mobilevit_xx-small_os16_97x129",
            "hf_mobilevitv2_1.0_os16_104x136",
        "adaptsegnet_deeplab_vgg16_97x129", "tramac_denseaspp_densenet121_97x129", "unimatch_resnet50_os8_97x129",
        "vainf_deeplabv3plus_mobilenet_os16_sep_97x129", "vainf_deeplabv3plus_xception_os16_97x129",
            "yassouali_resnet50_os16_97x129",
    ];

    /// <summary>
    /// A GPU captures them too: on the software device that is what BranchTests and StrictTests are for.
    /// </summary>
    private static readonly int Runs = SoftwareDevice.Used ? 1 : 3;

    public static TheoryData<string> Chosen => [.. Parts.Of(Golden.Where(
        entry => !SoftwareDevice.Used || Environment.GetEnvironmentVariable(AllVariable) == "1"
        || OnSoftware.Contains(entry.Name)).Select(row => row.Data))];

    /// <summary>Networks whose layers are of all kinds, in the narrower precisions.</summary>
    public static IEnumerable<TheoryDataRow<Precision, string>> Narrow =>
        from precision in (Precision[])[Precision.Tf32, Precision.Fp16, Precision.Bf16]
        from name in (string[])
        [
            "vainf_deeplabv3plus_mobilenet_os16_97x129", "hf_mobilenetv2_deeplabv3_os16_97x129",
                "denseaspp_mobile_os16_96x128",
            "torchvision_deeplabv3_mobilenet_v3_large_97x129", "arronhzg_resnet50_os16_97x129",
        ]
        select new TheoryDataRow<Precision, string>(precision, name);

    public static IEnumerable<TheoryDataRow<string, int, Precision>> Strictly
    {
        get
        {
            bool all = Environment.GetEnvironmentVariable(StrictVariable) == "1";
            Strict[] modes =
                [.. Enum.GetValues<Strict>().Where(how => how is not Strict.None and <= Strict.All)];
            Precision[] precisions = AllBackends.Precisions;
            return
                from golden in OnSoftware.Order(StringComparer.Ordinal).Index()
                from mode in modes.Index()
                from precision in precisions.Index()
                where all || (golden.Index % modes.Length == mode.Index
                    && (golden.Index + golden.Index / modes.Length) % precisions.Length == precision.Index)
                select new TheoryDataRow<string, int, Precision>(golden.Item, (int)mode.Item, precision.Item);
        }
    }

    public void Dispose()
    {
        if (SoftwareDevice.Used)
            SoftwareDevice.Reset();
    }

    [Theory]
    [MemberData(nameof(Strictly))]
    public void A_strict_device_gives_the_original_s_logits(string name, int how, Precision precision)
    {
        SoftwareDevice.Require();
        Golden golden = Golden.Load(name);
        // Generated weights are no trained ones: MobileOne's scores are in the billions.
        Assert.SkipWhen(precision == Precision.Fp16 && golden.OutputStd > (double)Half.MaxValue,
            "float16 has no numbers as large as these scores.");
        SoftwareDevice.BeStrict((Strict)how);
        using CudaBackend backend = AllBackends.Open(precision);
        Difference difference = GoldenNetworks.Run(
            golden, backend, precision == Precision.Fp32 ? Tolerance.Network : double.PositiveInfinity);
        output.WriteLine($"{precision} {(Strict)how} {name} {difference}");
        // Twice what is stated for networks that were trained: attention of generated weights makes 6.6e-3 of tf32's
        // rounding, which is the most of all goldens.
        Assert.InRange(difference.RelativeRms, 0, 2 * VerificationTolerance.For(precision).Rms);
    }

    [Theory]
    [MemberData(nameof(Chosen))]
    public void Fp32_gives_the_original_s_logits(string name)
    {
        using CudaBackend backend = AllBackends.Open(Precision.Fp32);
        Golden golden = Golden.Load(name);
        Difference difference = GoldenNetworks.Run(golden, backend, Tolerance.Network, Runs);
        output.WriteLine($"{difference}, noise {golden.Noise:0.00e+00}");
    }

    [Theory]
    [MemberData(nameof(Narrow))]
    public void A_narrow_precision_stays_within_what_is_stated_for_it(Precision precision, string name)
    {
        using CudaBackend backend = AllBackends.Open(precision);
        Difference difference = GoldenNetworks.Run(Golden.Load(name), backend, double.PositiveInfinity, Runs);
        output.WriteLine($"{precision} {name} {difference}");
        Assert.InRange(difference.RelativeRms, 0, VerificationTolerance.For(precision).Rms);
    }
}
