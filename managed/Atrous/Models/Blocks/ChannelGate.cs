using Atrous.Graph;
using Atrous.Graph.Ops;

namespace Atrous.Models.Blocks;

/// <summary>
/// Efficient channel attention, Wang et al. 2019 (arXiv:1910.03151), section 3.2: each channel times a factor that
/// comes from the means of its neighbours. Layers: .window.
/// </summary>
internal static class ChannelGate
{
    public static Value Build(Layers layers, Value x, string name)
    {
        Value gate = layers.Graph.Add($"{name}.pool", new GlobalAveragePool(), x);
        gate = layers.AlongChannels(gate, $"{name}.window", Activation.Sigmoid);
        return layers.Graph.Add($"{name}.multiply", new Binary(BinaryKind.Multiply, Activation.None), x, gate);
    }
}
