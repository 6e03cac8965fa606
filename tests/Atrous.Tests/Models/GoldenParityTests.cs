using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Backends.Reference;
using Atrous.Tests.Support;

namespace Atrous.Tests.Models;

/// <summary>Whole networks against the outputs of the original implementations.</summary>
public sealed class GoldenParityTests(ITestOutputHelper output)
{
    private static readonly string[] Dialects =
    [
        "ArronHZG", "VainF V3", "VainF V3+", "SMP V3", "SMP V3+", "SMP V3 (0.3.3)",
        "SMP V3+ (0.3.3)", "mmsegmentation", "detectron2", "kazuto1011 V2",
        "HF MobileNetV2", "HF MobileViT", "HF MobileViTV2", "DenseASPP", "yassouali", "torchvision", "jfzhang95",
        "bubbliiiing", "AdaptSegNet V2", "Tramac", "UniMatch V3+",
    ];

    /// <summary>The networks that plain loops finish in seconds.</summary>
    public static TheoryData<string> Small => Golden.Where(entry => Dialects.Contains(entry.Dialect)
        && (entry.IsSmall || entry.Name is "arronhzg_resnet50_os16_97x129" or "arronhzg_xception_os16_97x129"
            or "kazuto1011_deeplabv2_resnet101_nomsc_96x128" or "denseaspp_121_os16_96x128"));

    /// <summary>Every case of the dialects that Atrous reads.</summary>
    public static TheoryData<string> Every => Golden.Of(Dialects);

    [Theory]
    [MemberData(nameof(Small))]
    public void The_reference_backend_gives_the_original_s_logits(string name)
    {
        using var backend = new ReferenceBackend();
        Golden golden = Golden.Load(name);
        output.WriteLine($"{GoldenNetworks.Run(golden, backend, LimitOf(golden))}, noise {golden.Noise:0.00e+00}");
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void The_cpu_backend_gives_the_original_s_logits(string name)
    {
        using var backend = new CpuBackend();
        Golden golden = Golden.Load(name);
        output.WriteLine($"{GoldenNetworks.Run(golden, backend, LimitOf(golden))}, noise {golden.Noise:0.00e+00}");
    }

    /// <summary>The encoders of segmentation_models.pytorch, whose features are stored too.</summary>
    public static TheoryData<string> Encoders =>
        Golden.Where(entry => entry.Name.StartsWith("smp", StringComparison.Ordinal) && entry.IsOfSecondSet);

    [Theory]
    [MemberData(nameof(Encoders))]
    public void An_encoder_s_features_are_the_original_s(string name)
    {
        using var backend = new CpuBackend();
        Golden golden = Golden.Load(name);
        IReadOnlyDictionary<string, double> distances = GoldenNetworks.Intermediates(golden, backend);
        // The scores of a whole picture are those of a head for training, which Atrous does not compute.
        Assert.Equal(golden.Intermediates.Where(stored => stored != "aux_logits"), distances.Keys);
        Assert.Contains("backbone_out", distances.Keys);
        foreach ((string intermediate, double distance) in distances)
        {
            output.WriteLine($"{intermediate} {distance:0.00e+00}");
            Assert.True(distance <= LimitOf(golden), $"{name}: {intermediate} is {distance:0.00e+00} off");
        }
    }

    /// <summary>The original's own float32 run is nearly as far from its float64 run in the deepest networks.</summary>
    private static double LimitOf(Golden golden) => Math.Max(Tolerance.Network, 6 * golden.Noise);

    /// <summary>The dialects of our specification's original and of VainF's V3+, on each instruction set.</summary>
    public static TheoryData<string, string> OnEachIsa =>
    [
        .. Golden.Of("ArronHZG", "VainF V3+").SelectMany(
            row => new[] { "cpu, baseline", "cpu, avx2", "cpu, avx512" }, (row, backend) => (backend, row.Data)),
    ];

    [Theory]
    [MemberData(nameof(OnEachIsa))]
    public void Every_instruction_set_gives_the_original_s_logits(string backend, string name)
    {
        using IBackend cpu = AllBackends.Create(backend);
        Golden golden = Golden.Load(name);
        output.WriteLine($"{GoldenNetworks.Run(golden, cpu, Tolerance.Network)}, noise {golden.Noise:0.00e+00}");
    }
}
