using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>EfficientNet as its paper defines it, table 1 of Tan and Le 2019 (arXiv:1905.11946).</summary>
internal static class EfficientNets
{
    /// <summary>The depthwise window of each stage.</summary>
    public const string Kernels = "3353553";

    /// <summary>The first stages at strides 2, 4, 8, 16 and 32.</summary>
    public static readonly IReadOnlyList<int> LevelStarts = [0, 1, 2, 3, 5];

    public static readonly GateSpec Gate = new(Activation.Silu, Activation.Sigmoid);

    /// <summary>All but the blocks.</summary>
    public static InvertedResidualSpec Spec(EfficientNetSize size) => new()
    {
        Name = "EfficientNet" + size.Suffix,
        Activation = Activation.Silu,
        Gate = Gate,
        Blocks = [],
    };

    /// <summary>As <see cref="Spec"/>, of the sizes without gates.</summary>
    public static InvertedResidualSpec Lite(EfficientNetSize size) => new()
    {
        Name = "EfficientNet-Lite" + size.Suffix,
        Activation = Activation.Relu6,
        Blocks = [],
    };
}
