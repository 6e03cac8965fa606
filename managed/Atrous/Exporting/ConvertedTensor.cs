using Atrous.Models;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Exporting;

/// <summary>A tensor of the file to write: its canonical name and shape, and how its values are made.</summary>
internal sealed record ConvertedTensor(string Name, int[] Shape, Func<float[]> Values)
{
    private static readonly string[] NormParts = ["weight", "bias", "running_mean", "running_var"];

    /// <summary>The tensors of all layers, in forward order.</summary>
    public static IEnumerable<ConvertedTensor> Of(ModelSource source, bool fold) =>
        LayerInventory.Of(source)
        .SelectMany(layer => Of(layer.Key, layer.Value, source.Description.Names[layer.Key], source.Weights, fold));

    private static IEnumerable<ConvertedTensor> Of(
        string layer, LayerParts parts, LayerNames names, IWeightSource weights, bool fold)
    {
        (float[] Scale, float[] Shift)? folded = fold && parts.IsNormFoldable ? parts.Norm : null;
        if (parts.Kernel is { } kernel)
        {
            yield return new($"{layer}.weight", [.. kernel.Shape], () => Scaled(kernel, folded?.Scale));
            string bias = $"{names.Convolution}.bias";
            // A network of folded norms has a bias in every convolution but those along the channels.
            bool isAlongChannels = kernel.Shape.Count == 3;
            if (parts.HasBias || (fold && !isAlongChannels))
                yield return new($"{layer}.bias", [kernel.Shape[0]], () =>
                    Bias(parts.Bias ?? (parts.HasBias ? Copy(bias) : new float[kernel.Shape[0]]), folded));
        }
        foreach (string part in parts.Vectors)
        {
            string name = $"{names.Norm}.{part}";
            yield return new($"{layer}.bn.{part}", weights.Weights[name].Shape, () => Copy(name));
        }
        if (parts.Norm is not { } norm || folded is not null)
            yield break;
        foreach (string part in NormParts)
            yield return new($"{layer}.bn.{part}", [norm.Scale.Length], () => Copy($"{names.Norm}.{part}"));

        float[] Copy(string name) => new Weight(weights, weights.Weights[name]).ToArray();
    }

    private static float[] Scaled(Weight kernel, float[]? scale)
    {
        float[] values = kernel.ToArray();
        if (scale is null)
            return values;
        int size = values.Length / scale.Length;
        for (int i = 0; i < values.Length; i++)
            values[i] *= scale[i / size];
        return values;
    }

    private static float[] Bias(float[] values, (float[] Scale, float[] Shift)? folded)
    {
        if (folded is not { } norm)
            return values;
        for (int c = 0; c < values.Length; c++)
            values[c] = (float)((double)values[c] * norm.Scale[c] + norm.Shift[c]);
        return values;
    }
}
