using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>What the shapes of a few tensors tell about a network.</summary>
internal static class WeightFacts
{
    /// <summary>Channels of the picture, from the first convolution's kernel.</summary>
    public static int InputChannels(this IWeightSource weights, string name) => Kernel(weights, name)[1];

    /// <summary>Classes, from the last convolution's kernel.</summary>
    public static int Outputs(this IWeightSource weights, string name) => Kernel(weights, name)[0];

    /// <summary>Height of a convolution's window, which is its width too.</summary>
    public static int KernelSize(this IWeightSource weights, string name) => Kernel(weights, name)[2];

    /// <summary>Channels of one group of a convolution.</summary>
    public static int GroupWidth(this IWeightSource weights, string name) => Kernel(weights, name)[1];

    /// <summary>Whether the file has all of these tensors.</summary>
    public static bool Has(this IWeightSource weights, params string[] keys) =>
        Array.TrueForAll(keys, weights.Weights.ContainsKey);

    private static int[] Kernel(IWeightSource weights, string name) =>
        weights.Weights.TryGetValue(name, out WeightInfo? info) && info.Shape.Length == 4 && info.Elements > 0
            ? info.Shape
            : throw new ModelException(
                $"{weights.Title} has no convolution kernel '{name}'; the model cannot be built without it.");
}
