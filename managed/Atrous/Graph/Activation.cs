namespace Atrous.Graph;

/// <summary>
/// The pointwise functions of the field. The numbers are those of <c>atrous_activation</c> in atrous.h.
/// </summary>
public enum ActivationKind
{
    None = 0,
    Relu = 1,
    Relu6 = 2,
    LeakyRelu = 3,
    HardSwish = 4,
    HardSigmoid = 5,
    Sigmoid = 6,
    Silu = 7,

    /// <summary>x * (1 + erf(x / sqrt(2))) / 2, Hendrycks and Gimpel 2016 (arXiv:1606.08415).</summary>
    Gelu = 8,
}

/// <summary>A pointwise function and its parameter.</summary>
/// <param name="Kind">Which function it is.</param>
/// <param name="Slope">The slope below zero of <see cref="ActivationKind.LeakyRelu"/>; 0 otherwise.</param>
public readonly record struct Activation(ActivationKind Kind, float Slope = 0)
{
    public static readonly Activation None = new(ActivationKind.None);
    public static readonly Activation Relu = new(ActivationKind.Relu);
    public static readonly Activation Relu6 = new(ActivationKind.Relu6);
    public static readonly Activation HardSwish = new(ActivationKind.HardSwish);
    public static readonly Activation HardSigmoid = new(ActivationKind.HardSigmoid);
    public static readonly Activation Sigmoid = new(ActivationKind.Sigmoid);
    public static readonly Activation Silu = new(ActivationKind.Silu);
    public static readonly Activation Gelu = new(ActivationKind.Gelu);

    /// <summary>
    /// Whether it does no more than hold numbers within limits, which elements of 8 bits do by themselves.
    /// </summary>
    internal bool IsLimit => Kind is ActivationKind.None or ActivationKind.Relu or ActivationKind.Relu6;

    /// <summary>x where it is above zero, <c>slope * x</c> elsewhere.</summary>
    /// <param name="slope">The factor on numbers below zero.</param>
    public static Activation LeakyRelu(float slope) => new(ActivationKind.LeakyRelu, slope);
}
