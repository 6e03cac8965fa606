using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// A family of timm's networks of inverted residual blocks, which its stages tell: how many there are, how large their
/// windows are and which have gates.
/// </summary>
/// <param name="Name">For people; a size may follow.</param>
/// <param name="Kernels">The window of each stage's last block.</param>
/// <param name="Gates">Which stages have gates.</param>
/// <param name="LevelStarts">The first stages at strides 2, 4, 8, 16 and 32.</param>
/// <param name="Activation">After every convolution that has one.</param>
internal sealed record TimmFamily(
    string Name, string Kernels, string Gates, IReadOnlyList<int> LevelStarts, Activation Activation)
{
    private static readonly int[] FirstStageStrided = [0, 0, 1, 2, 4], EveryStageStrided = [0, 0, 1, 2, 3];

    /// <summary>Channels of the last blocks of those EfficientNetV2 that are not Google's (rw_s, rw_m).</summary>
    private static readonly int[] OtherEfficientNetV2 = [272, 328];

    /// <summary>
    /// Channels of the last blocks of those MobileNetV3 that are not Google's (small_050, large_150d).
    /// </summary>
    private static readonly int[] OtherMobileNetV3 = [288, 1440];

    public static IReadOnlyList<TimmFamily> All { get; } =
    [
        new("EfficientNet", EfficientNets.Kernels, "1111111", EfficientNets.LevelStarts, Activation.Silu)
        {
            Gate = EfficientNets.Gate,
            IsSized = true,
            // From B6 on timm has no other weights, and its pruned networks come from TensorFlow's.
            TensorFlow = stages => EfficientNetSize.Of(stages) is { Number: >= 6 } || IsPruned(stages),
            TensorFlowHalf = IsPruned,
        },
        new("EfficientNet-Lite", EfficientNets.Kernels, "0000000", EfficientNets.LevelStarts, Activation.Relu6)
        {
            IsSized = true,
            TensorFlow = stages => EfficientNetSize.Of(stages) is not { Number: 0 },
            TensorFlowHalf = _ => true,
        },
        new("EfficientNet-EdgeTPU", "333555", "000000", EfficientNets.LevelStarts, Activation.Relu)
        {
            FirstSkips = false,
            TensorFlow = _ => false,
            TensorFlowHalf = _ => true,
        },
        EfficientNetV2("333333", "000111"),
        EfficientNetV2("3333333", "0001111"),
        new("MnasNet", "3355353", "0000000", EfficientNets.LevelStarts, Activation.Relu),
        new("SE-MnasNet", "3353353", "0010110", EfficientNets.LevelStarts, Activation.Relu)
        {
            Gate = GateSpec.Standard,
        },
        new("MobileNetV2", "3333333", "0000000", EfficientNets.LevelStarts, Activation.Relu6),
        MobileNetV3("Large", "3353351", "0010110", EfficientNets.LevelStarts, Activation.HardSwish, reluStages: 3),
        MobileNetV3("Small", "335551", "101110", FirstStageStrided, Activation.HardSwish, reluStages: 2),
        MobileNetV3("Large-Minimal", "3333331", "0000000", EfficientNets.LevelStarts, Activation.Relu),
        MobileNetV3("Small-Minimal", "333331", "000000", FirstStageStrided, Activation.Relu),
        new("MobileNetV4-Small", "11131", "00000", EveryStageStrided, Activation.Relu),
        new("MobileNetV4", "33111", "00000", EveryStageStrided, Activation.Relu),
        new("MobileNetV4-Hybrid-Medium", "33111", "00000", EveryStageStrided, Activation.Relu) { Heads = 4 },
        new("MobileNetV4-Hybrid-Large", "33111", "00000", EveryStageStrided, Activation.Gelu) { Heads = 8 },
    ];

    /// <summary>The functions of the gates, where there are any.</summary>
    public GateSpec Gate { get; init; } = EfficientNets.Gate;

    /// <summary>The first stages, whose activation is ReLU whatever that of the others is.</summary>
    public int ReluStages { get; init; }

    /// <summary>The heads of its attention, which some blocks are; 0 for none.</summary>
    public int Heads { get; init; }

    /// <summary>The name is followed by the size of an EfficientNet.</summary>
    public bool IsSized { get; init; }

    /// <summary>The blocks of the first stage may add their inputs.</summary>
    public bool FirstSkips { get; init; } = true;

    /// <summary>A block of one convolution adds its input.</summary>
    public bool PlainSkips { get; init; }

    /// <summary>
    /// The widths of the gates are multiples of 8; in a network that is alike otherwise, and has other rules, they are
    /// not.
    /// </summary>
    public bool HasRoundGates { get; init; }

    /// <summary>
    /// segmentation_models.pytorch has it under a name of its own too, dilated by its own rule up to version 0.4.
    /// </summary>
    public bool IsOfOriginal { get; init; }

    /// <summary>
    /// Whether it is one of those that timm has from TensorFlow (tf_ in their names) where nobody says; null where
    /// there are none.
    /// </summary>
    public Func<StoredBlock[][], bool>? TensorFlow { get; init; }

    /// <summary>Whether the weights from TensorFlow were trained with 0.5 for mean and deviation.</summary>
    public Func<StoredBlock[][], bool> TensorFlowHalf { get; init; } = _ => false;

    private static TimmFamily EfficientNetV2(string kernels, string gates) =>
        new("EfficientNetV2", kernels, gates, EfficientNets.LevelStarts, Activation.Silu)
        {
            PlainSkips = true,
            TensorFlow = stages => !OtherEfficientNetV2.Contains(Outputs(stages)) && !IsTiny(stages),
            // B0 to B2 alone have ImageNet's.
            TensorFlowHalf = stages => Outputs(stages) is not (192 or 208),
        };

    private static TimmFamily MobileNetV3(
        string name, string kernels, string gates, IReadOnlyList<int> starts, Activation activation,
        int reluStages = 0) => new("MobileNetV3-" + name, kernels, gates, starts, activation)
        {
            Gate = new GateSpec(Activation.Relu, Activation.HardSigmoid),
            ReluStages = reluStages,
            HasRoundGates = true,
            IsOfOriginal = true,
            TensorFlow = stages => !OtherMobileNetV3.Contains(Outputs(stages)),
            TensorFlowHalf = _ => true,
        };

    private static bool IsPruned(StoredBlock[][] stages) =>
        Array.Exists(stages, stage => Array.Exists(stage, block => !block.IsWhole));

    /// <summary>efficientnetv2_rw_t, which ends with as many channels as B2.</summary>
    private static bool IsTiny(StoredBlock[][] stages) => Outputs(stages) == 208 && stages[0][^1].Outputs == 24;

    private static int Outputs(StoredBlock[][] stages) => stages[^1][^1].Outputs;
}
