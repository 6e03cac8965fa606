using Atrous.Exporting;
using Atrous.Models;
using Atrous.Tensors;

namespace Atrous.Quantizing;

/// <summary>The weights of a model of folded norms whose channels are multiplied; the model's own stay open.</summary>
internal sealed class EqualizedWeights(IWeightSource source, ChannelEqualization factors) : IWeightSource
{
    private const string Weight = ".weight", Bias = ".bias";

    /// <summary>A model of folded norms with these factors in its weights.</summary>
    public static Model In(ModelSource model, ChannelEqualization factors) =>
        new(model.Description, new EqualizedWeights(model.Weights, factors));

    public string Path => source.Path;

    public IReadOnlyDictionary<string, WeightInfo> Weights => source.Weights;

    public void Read(string name, Span<float> destination)
    {
        source.Read(name, destination);
        string kernel = name.EndsWith(Bias, StringComparison.Ordinal) ? name[..^Bias.Length] + Weight : name;
        if (factors.Made.TryGetValue(kernel, out float[]? made))
        {
            int size = destination.Length / made.Length;
            for (int i = 0; i < destination.Length; i++)
                destination[i] *= made[i / size];
        }
        if (factors.Read.TryGetValue(name, out float[]? read))
            Divide(destination, Weights[name].Shape, read);
    }

    public void Dispose()
    {
        // The source is whoever's opened it.
    }

    /// <summary>Divides the weights of each input channel.</summary>
    private static void Divide(Span<float> weights, int[] shape, float[] channels)
    {
        (int outputs, int inputs) = (shape[0], shape[1]);
        int taps = weights.Length / (outputs * inputs), groups = channels.Length / inputs;
        for (int o = 0; o < outputs; o++)
        {
            int first = o / (outputs / groups) * inputs;
            for (int i = 0; i < inputs; i++)
            {
                foreach (ref float weight in weights.Slice((o * inputs + i) * taps, taps))
                    weight /= channels[first + i];
            }
        }
    }
}
