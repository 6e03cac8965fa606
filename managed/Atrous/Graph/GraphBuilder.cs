using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Graph;

/// <summary>
/// Builds a graph in forward order and infers every shape as it goes, so that a model reads like its paper and a misfit
/// is reported at the layer where it happens.
/// </summary>
internal sealed class GraphBuilder
{
    private readonly List<Value> _inputs = [];
    private readonly List<Node> _nodes = [];

    /// <summary>
    /// Resizes to the size that a value has already become nodes too, so that graphs for all input sizes are alike.
    /// </summary>
    public bool KeepsResizes { get; init; }

    /// <summary>How the graph is computed in 8 bits; null where nobody has found out.</summary>
    public QuantizationTable? Quantization { get; set; }

    /// <summary>Declares a value that the caller will give.</summary>
    public Value Input(string name, Shape shape)
    {
        var value = new Value(name, shape);
        _inputs.Add(value);
        return value;
    }

    /// <summary>Appends an operation and returns its output.</summary>
    /// <exception cref="ArgumentException">The inputs do not suit the operation.</exception>
    public Value Add(string name, Op op, params Value[] inputs)
    {
        var shapes = new Shape[inputs.Length];
        for (int i = 0; i < shapes.Length; i++)
            shapes[i] = inputs[i].Shape;
        Shape shape = op.OutputShape(shapes);
        var output = new Value(name, shape, op.OutputType);
        _nodes.Add(new Node(op, inputs, output));
        return output;
    }

    /// <summary>Appends an operation of two outputs and returns both.</summary>
    /// <exception cref="ArgumentException">The inputs do not suit the operation, or it has one output.</exception>
    public (Value First, Value Second) AddPair(string name, string secondName, Op op, params Value[] inputs)
    {
        DType type = op.SecondOutputType ?? throw new ArgumentException($"{op.Name} has one output.", nameof(op));
        Value first = Add(name, op, inputs);
        var second = new Value(secondName, first.Shape, type);
        _nodes[^1] = _nodes[^1] with { SecondOutput = second };
        return (first, second);
    }

    /// <summary>Resizes, or returns the value itself where it has the size already (all grids agree then).</summary>
    public Value Resize(string name, Value x, int height, int width, Sampling sampling, float scale = 0) =>
        !KeepsResizes && x.Shape.Height == height && x.Shape.Width == width && (scale is 0 or 1)
            ? x
            : Add(name, new ResizeBilinear(height, width, sampling, scale), x);

    /// <summary>The graph that computes these outputs; nodes that none of them needs are left out.</summary>
    public NetworkGraph Build(params Value[] outputs)
    {
        var needed = new HashSet<Value>(outputs);
        var nodes = new List<Node>();
        for (int i = _nodes.Count - 1; i >= 0; i--)
        {
            if (!_nodes[i].Outputs.Any(needed.Contains))
                continue;
            nodes.Add(_nodes[i]);
            needed.UnionWith(_nodes[i].Inputs);
        }
        nodes.Reverse();
        return new NetworkGraph([.. _inputs], nodes, outputs) { Quantization = Quantization };
    }
}
