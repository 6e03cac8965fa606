using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>One operation on inputs that follow from the case's name.</summary>
/// <param name="Name">Also the seed of all its numbers.</param>
/// <param name="Op">What is run.</param>
/// <param name="Inputs">The shapes of its inputs.</param>
/// <param name="Why">What would go unnoticed without this case.</param>
/// <param name="Range">Inputs lie in (Shift - Range, Shift + Range).</param>
/// <param name="IsCoarse">Inputs are whole numbers, so that ties happen.</param>
/// <param name="Shift">The middle of the inputs' range.</param>
public sealed record OpCase(
    string Name, Op Op, Shape[] Inputs, string Why, float Range = 2, bool IsCoarse = false, float Shift = 0)
{
    /// <summary>The values of the inputs, NHWC.</summary>
    public float[][] InputValues() =>
    [
        .. Inputs.Select((shape, i) =>
        {
            float[] values = Numbers($"{Name}.input{i}", (int)shape.Elements, Range, Shift);
            return IsCoarse ? [.. values.Select(value => MathF.Round(value))] : values;
        }),
    ];

    /// <summary>The operation alone.</summary>
    public NetworkGraph Graph()
    {
        var builder = new GraphBuilder();
        Value[] inputs = [.. Inputs.Select((shape, i) => builder.Input($"x{i}", shape))];
        return builder.Build([.. Make(builder, inputs)]);
    }

    /// <summary>
    /// The operation between concatenations that a backend may elide: its inputs are then slices of wider tensors, with
    /// something on both sides, and so is its output where it can be.
    /// </summary>
    public NetworkGraph SlicedGraph()
    {
        var builder = new GraphBuilder();
        var wide = new List<Value>();
        var inputs = new List<Value>();
        foreach (Shape shape in Inputs)
        {
            Value x = builder.Input($"x{inputs.Count}", shape);
            // Copies, because an input of the graph is the caller's and never a slice.
            Value[] copies =
                [.. "abc".Select(part => builder.Add($"{x.Name}{part}", new Crop(0, 0, shape.Height, shape.Width), x))];
            wide.Add(builder.Add($"{x.Name}wide", new Concat(), copies));
            inputs.Add(copies[1]);
        }
        Value[] made = Make(builder, [.. inputs]);
        Value y = made[0];
        if (y.Type != DType.Float32)
            return builder.Build([.. made, .. wide]);
        Value twice = builder.Add("twice", new Activate(Activation.Relu), y);
        return builder.Build([builder.Add("ywide", new Concat(), twice, y), .. wide]);
    }

    private Value[] Make(GraphBuilder builder, Value[] inputs)
    {
        if (Op.SecondOutputType is null)
            return [builder.Add("y", Op, inputs)];
        (Value first, Value second) = builder.AddPair("y", "z", Op, inputs);
        return [first, second];
    }

    public override string ToString() => $"{Name} ({Why})";

    /// <summary>Numbers in (shift - range, shift + range) that follow from a name.</summary>
    public static float[] Numbers(string name, int count, double range, double shift = 0)
    {
        ulong hash = GeneratedWeights.Hash(name);
        return [.. Enumerable.Range(0, count)
            .Select(i => (float)((2 * GeneratedWeights.Uniform(hash, i) - 1) * range + shift))];
    }

    /// <summary>A weight whose values follow from its name.</summary>
    public static Weight Weight(string name, params int[] shape)
    {
        var source = new GeneratedWeights([(name, shape)]);
        return new Weight(source, source.Weights[name]);
    }
}
