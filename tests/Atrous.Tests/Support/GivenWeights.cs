using Atrous.Tensors;

namespace Atrous.Tests.Support;

/// <summary>One weight with values that a test writes out.</summary>
internal sealed class GivenWeights(params float[] values) : IWeightSource
{
    private readonly Dictionary<string, WeightInfo> _weights = [];

    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <summary>The values as a weight of this shape.</summary>
    public Weight Of(params int[] shape)
    {
        var info = new WeightInfo("given", DType.Float32, shape);
        _weights[info.Name] = info;
        return new Weight(this, info);
    }

    public void Read(string name, Span<float> destination) => values.CopyTo(destination);

    public void Dispose()
    {
    }
}
