using System.Numerics;
using System.Runtime.InteropServices;
using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Checkpoints;

/// <summary>
/// The weights that a file which Atrous quantised stores as bytes: "name" is int8 and "name.step" has a factor for each
/// output channel. Whoever reads them gets their product.
/// </summary>
internal sealed class QuantizedTensors
{
    /// <summary>The metadata of a quantised file that says what the elements of activations stand for.</summary>
    public const string Entry = "quantization";

    /// <summary>What follows a weight's name in that of its steps.</summary>
    public const string Step = ".step";

    private readonly Dictionary<string, StoredTensor> _steps = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    private QuantizedTensors()
    {
    }

    /// <summary>The names of the weights.</summary>
    public IReadOnlySet<string> Names => _names;

    /// <summary>Those of a file; none unless its metadata says that it is such a file.</summary>
    public static QuantizedTensors In(
        IReadOnlyDictionary<string, StoredTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var found = new QuantizedTensors();
        if (!metadata.ContainsKey(Entry))
            return found;
        foreach ((string name, StoredTensor tensor) in tensors)
        {
            if (tensor is { Type: DType.Int8, Shape: [int outputs, _, _, _] }
                && tensors.TryGetValue(name + Step, out StoredTensor? step)
                && step.Type.IsFloatingPoint() && step.Shape is [int steps] && steps == outputs)
            {
                found._names.Add(name);
                found._steps.Add(name + Step, step);
            }
        }
        return found;
    }

    /// <summary>Whether a tensor is the steps of another one.</summary>
    public bool IsStep(string name) => _steps.ContainsKey(name);

    /// <summary>The type of what is read: the product of bytes and steps is float32.</summary>
    public DType TypeOf(string name, StoredTensor tensor) => _names.Contains(name) ? DType.Float32 : tensor.Type;

    /// <summary>Multiplies bytes that were read by their steps; other tensors stay as they are.</summary>
    public void Scale(string name, Span<float> values)
    {
        if (!_names.Contains(name))
            return;
        StoredTensor step = _steps[name + Step];
        var steps = new float[step.Elements];
        step.Read(steps);
        int size = steps.Length == 0 ? 0 : values.Length / steps.Length;
        for (int o = 0; o < steps.Length; o++)
        {
            Span<float> channel = values.Slice(o * size, size);
            Span<Vector<float>> whole = MemoryMarshal.Cast<float, Vector<float>>(channel);
            foreach (ref Vector<float> some in whole)
                some *= steps[o];
            foreach (ref float one in channel[(whole.Length * Vector<float>.Count)..])
                one *= steps[o];
        }
    }
}
