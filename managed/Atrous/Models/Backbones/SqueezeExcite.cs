using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// Squeeze-and-excitation, Hu et al. 2017 (arXiv:1709.01507), section 3: each channel times a factor that comes from
/// the means of all channels. Layers: .reduce, .expand.
/// </summary>
internal static class SqueezeExcite
{
    public static Value Build(GateSpec spec, Layers layers, Value x, string name)
    {
        Value gate = layers.Graph.Add($"{name}.pool", new GlobalAveragePool(), x);
        gate = layers.Convolution(gate, $"{name}.reduce", 1, spec.Squeezed, norm: false, bias: true);
        gate = layers.Convolution(gate, $"{name}.expand", 1, spec.Excited, norm: false, bias: true);
        return layers.Graph.Add($"{name}.multiply", new Binary(BinaryKind.Multiply, Activation.None), x, gate);
    }
}
