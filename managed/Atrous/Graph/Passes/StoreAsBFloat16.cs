using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Graph.Passes;

/// <summary>
/// Gives the values inside the network bfloat16 memory: half the bytes, 8 bits of precision, the range of float32. What
/// the caller gives and gets stays float32, and with it the first convolution of the picture and the scores, from the
/// convolution that makes them to the outputs: neighbouring classes are often closer than bfloat16 can tell. So does
/// everything that a linear bottleneck (Sandler et al. 2018, arXiv:1801.04381, section 3.2) is computed from: through
/// its few channels all later layers see the picture, and each block's rounding is summed into them. Where a value is
/// needed in the other type, an <see cref="Activate"/> without a function converts it. A backend that applies this must
/// have: convolutions, <see cref="Activate"/> and <see cref="BatchNorm"/> from and to either type (a residual has the
/// output's), softmax, confidence and labels of float32, and everything else within one type.
/// </summary>
internal static class StoreAsBFloat16
{
    public static NetworkGraph Apply(NetworkGraph graph) => new Rewriting(graph).Run();

    private sealed class Rewriting
    {
        private readonly NetworkGraph _graph;
        private readonly Dictionary<Value, DType> _types = [];
        private readonly Dictionary<(Value Value, DType Type), Value> _stored = [];
        private readonly List<Node> _nodes = [];

        public Rewriting(NetworkGraph graph)
        {
            _graph = graph;
            var readership = new Readership(graph);
            foreach (Value value in graph.Inputs.Concat(graph.Outputs))
                _types[value] = value.Type;
            IReadOnlyDictionary<Value, Node> makers = graph.Makers();
            // Backwards, so that whoever reads a value is decided before it.
            var exact = new HashSet<Value>();
            foreach (Node node in graph.Nodes.Reverse())
            {
                if (exact.Contains(node.Output) || LinearBottleneck.Is(node, makers))
                    exact.UnionWith(node.Inputs);
                if (node.SecondOutput is { } second)
                    _types.TryAdd(second, second.Type);
                _types.TryAdd(node.Output, exact.Contains(node.Output)
                    ? node.Output.Type
                    : TypeFor(node, readership.Readers(node.Output)));
            }
        }

        public NetworkGraph Run()
        {
            foreach (Value input in _graph.Inputs)
                _stored.Add((input, input.Type), input);
            foreach (Node node in _graph.Nodes)
            {
                Value output = _types[node.Output] == node.Output.Type
                    ? node.Output
                    : new Value(node.Output.Name, node.Output.Shape, _types[node.Output]);
                Value[] inputs = [.. node.Inputs.Select((input, i) => Take(input, NeededBy(node, i) ?? _types[input]))];
                _nodes.Add(node with { Inputs = inputs, Output = output });
                _stored.Add((node.Output, output.Type), output);
                if (node.SecondOutput is { } second)
                    _stored.Add((second, second.Type), second);
            }
            return _graph with { Nodes = _nodes };
        }

        private DType TypeFor(Node node, IEnumerable<Node> readers) =>
            node.Op.KeepsType || readers.All(reader => NeedsFloat32(reader, node.Output))
                ? node.Output.Type
                : DType.BFloat16;

        private bool NeedsFloat32(Node reader, Value value) =>
            Enumerable.Range(0, reader.Inputs.Count)
            .All(i => reader.Inputs[i] != value || NeededBy(reader, i) == DType.Float32);

        /// <summary>The type in which a node takes an input; null where it takes any.</summary>
        private DType? NeededBy(Node node, int input) => node.Op.TypeOfInput(input) switch
        {
            InputType.Float32 => DType.Float32,
            InputType.Any => null,
            _ => _types[node.Output],
        };

        private Value Take(Value value, DType type)
        {
            if (_stored.TryGetValue((value, type), out Value? stored))
                return stored;
            var converted = new Value($"{value.Name}.{type.ToString().ToLowerInvariant()}", value.Shape, type);
            _nodes.Add(new Node(new Activate(Activation.None), [_stored[(value, _types[value])]], converted));
            _stored.Add((value, type), converted);
            return converted;
        }
    }
}
