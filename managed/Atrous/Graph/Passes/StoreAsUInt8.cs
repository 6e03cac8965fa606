using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Graph.Passes;

/// <summary>
/// Gives the values inside the network memory of 8 bits wherever <see cref="NetworkGraph.Quantization"/> says what
/// their elements stand for, and lets the convolutions that it names multiply in 8 bits. What the caller gives and gets
/// stays float32, and with it everything between the last convolution and the outputs, and linear bottlenecks. Where a
/// value is needed in the other type, an <see cref="Activate"/> without a function converts it. A backend that applies
/// this must have every operation as its <see cref="Op.InBytes"/> says; the residual of a convolution has the output's
/// type.
/// </summary>
internal static class StoreAsUInt8
{
    public static NetworkGraph Apply(NetworkGraph graph) => Apply(graph, endsInBytes: false);

    /// <summary>
    /// The same for a file for other runtimes, after <see cref="GraphPasses.FusionsForExchange"/>: each convolution
    /// that multiplies in 8 bits is rounded to 8 bits, whoever reads it, linear bottlenecks too, because they have none
    /// that gives float32.
    /// </summary>
    public static NetworkGraph ApplyForExchange(NetworkGraph graph) => Apply(graph, endsInBytes: true);

    private static NetworkGraph Apply(NetworkGraph graph, bool endsInBytes) =>
        graph.Quantization is { } table ? new Rewriting(graph, table, endsInBytes).Run() : graph;

    /// <summary>
    /// The convolutions that may multiply in 8 bits: all but those that read the picture and those that make the
    /// scores.
    /// </summary>
    public static IEnumerable<Node> Candidates(NetworkGraph graph)
    {
        HashSet<Value> scores = Scores(graph), picture = Picture(graph);
        return graph.Nodes.Where(
            node => node.Op is Conv2d && !scores.Contains(node.Output) && !picture.Contains(node.Inputs[0]));
    }

    /// <summary>What is made of the last convolutions without another one: neighbours differ by little there.</summary>
    private static HashSet<Value> Scores(NetworkGraph graph)
    {
        var scores = new HashSet<Value>(graph.Outputs);
        foreach (Node node in graph.Nodes.Reverse())
        {
            bool isScore = node.Outputs.Any(scores.Contains);
            if (isScore && node.Op is Conv2d)
                scores.UnionWith(node.Inputs.Skip(1));
            else if (isScore && !IsCopy(node))
                scores.UnionWith(node.Inputs);
        }
        return scores;
    }

    /// <summary>The copy of a value that somebody wants to look at (<see cref="Intermediates"/>).</summary>
    private static bool IsCopy(Node node) => node.Op is Crop && node.Output.Shape == node.Inputs[0].Shape;

    /// <summary>The picture, and what is made of it without a convolution.</summary>
    private static HashSet<Value> Picture(NetworkGraph graph)
    {
        var picture = new HashSet<Value>(graph.Inputs);
        foreach (Node node in graph.Nodes.Where(node => node.Op is not Conv2d))
        {
            if (node.Inputs.All(picture.Contains))
                picture.UnionWith(node.Outputs);
        }
        return picture;
    }

    private sealed class Rewriting
    {
        private readonly NetworkGraph _graph;
        private readonly QuantizationTable _table;
        private readonly bool _endsInBytes;
        private readonly SharedRanges _shared;
        private readonly HashSet<Value> _wanted;
        private readonly IReadOnlyDictionary<Value, Node> _makers;
        private readonly HashSet<Value> _scores;
        private readonly HashSet<Node> _candidates;
        private readonly Dictionary<Value, Quantization> _known = [];
        private readonly Dictionary<Value, DType> _types = [];
        private readonly Dictionary<(Value Value, DType Type), Value> _stored = [];
        private readonly List<Node> _nodes = [];

        public Rewriting(NetworkGraph graph, QuantizationTable table, bool endsInBytes)
        {
            (_graph, _table, _endsInBytes) = (graph, table, endsInBytes);
            _shared = new SharedRanges(graph);
            _makers = graph.Makers();
            _scores = Scores(graph);
            _candidates = [.. Candidates(graph)];
            foreach (Value value in graph.Nodes.Select(node => node.Output))
            {
                if (table.Values.TryGetValue(value.Name, out Quantization quantization))
                    _known.TryAdd(_shared.First(value), quantization);
            }
            _wanted = WantedInBytes();
        }

        public NetworkGraph Run()
        {
            foreach (Value input in _graph.Inputs)
                Store(input, input);
            foreach (Node node in _graph.Nodes)
            {
                Op op = IsInBytes(node) ? Corrected((Conv2d)node.Op) : node.Op;
                DType type = TypeFor(node);
                Value output = type == DType.UInt8
                    ? new Value(node.Output.Name, node.Output.Shape, type, Known(node.Output))
                    : node.Output;
                Value[] inputs = [.. node.Inputs.Select((input, i) => Take(input, NeededBy(node, i, type)))];
                _nodes.Add(node with { Op = op, Inputs = inputs, Output = output });
                Store(node.Output, output);
                if (node.SecondOutput is { } second)
                    Store(second, second);
            }
            return _graph with { Nodes = _nodes };
        }

        private Quantization Known(Value value) => _known[_shared.First(value)];

        private bool IsKnown(Value value) =>
            !_scores.Contains(value) && _known.ContainsKey(_shared.First(value));

        /// <summary>Whether a convolution multiplies in 8 bits.</summary>
        private bool IsInBytes(Node node) =>
            node.Op is Conv2d conv && _table.Kernels.Contains(conv.Kernel.Name) && _candidates.Contains(node)
            && IsKnown(node.Inputs[0]);

        private Conv2d Corrected(Conv2d conv)
        {
            if (!_table.Corrections.TryGetValue(conv.Kernel.Name, out float[]? correction))
                return conv;
            float[] bias = [.. correction];
            for (int c = 0; c < bias.Length; c++)
                bias[c] += conv.Bias?[c] ?? 0;
            return conv with { Bias = bias };
        }

        /// <summary>The type of what a node makes.</summary>
        private DType TypeFor(Node node)
        {
            if (node.Output.Type != DType.Float32 || !IsKnown(node.Output) || node.SecondOutput is not null)
                return node.Output.Type;
            bool bytes = node.Op.InBytes switch
            {
                ByteUse.Multiplies when IsInBytes(node) =>
                    ((Conv2d)node.Op).Activation.IsLimit
                    && (_endsInBytes || !LinearBottleneck.Is(node, _makers) && _wanted.Contains(node.Output)),
                ByteUse.Multiplies => WritesBytes((Conv2d)node.Op, node) && _wanted.Contains(node.Output),
                ByteUse.Converts => _wanted.Contains(node.Output),
                ByteUse.Combines => _wanted.Contains(node.Output) && node.Inputs.All(IsKnown),
                ByteUse.HandsOn =>
                    node.Inputs.All(IsKnown) && node.Inputs.Any(input => _types[input] == DType.UInt8),
                _ => false,
            };
            return bytes ? DType.UInt8 : DType.Float32;
        }

        /// <summary>
        /// A convolution of float32 that writes 8 bits by itself: not by Winograd's algorithm, nor a depthwise one.
        /// </summary>
        private static bool WritesBytes(Conv2d conv, Node node) =>
            node.Inputs.Count == 1 && conv.Groups == 1
            && !(conv is { KernelHeight: 3, KernelWidth: 3, Stride: 1 });

        /// <summary>
        /// The values of which a convolution of 8 bits is made, directly or through operations that have 8 bits too.
        /// Between layers of float32 no value is rounded.
        /// </summary>
        private HashSet<Value> WantedInBytes()
        {
            var wanted = new HashSet<Value>();
            foreach (Node node in _graph.Nodes.Reverse())
            {
                bool carries = node.Op.InBytes switch
                {
                    ByteUse.None => false,
                    ByteUse.Multiplies => IsInBytes(node),
                    _ => wanted.Contains(node.Output) && IsKnown(node.Output),
                };
                if (carries)
                    wanted.UnionWith(node.Inputs);
            }
            return wanted;
        }

        /// <summary>The type in which a node of an output's type takes an input.</summary>
        private DType NeededBy(Node node, int input, DType output) => node.Op.InBytes switch
        {
            ByteUse.Multiplies when input == 0 => IsInBytes(node) ? DType.UInt8 : DType.Float32,
            ByteUse.Converts => _types[node.Inputs[0]],
            _ => output == DType.UInt8 ? DType.UInt8 : _graph.Inputs.Contains(node.Inputs[input])
                ? node.Inputs[input].Type : DType.Float32,
        };

        private Value Take(Value value, DType type)
        {
            if (_stored.TryGetValue((value, type), out Value? stored))
                return stored;
            var converted = new Value(
                $"{value.Name}.{type.ToString().ToLowerInvariant()}", value.Shape, type,
                type == DType.UInt8 ? Known(value) : default);
            _nodes.Add(new Node(new Activate(Activation.None), [_stored[(value, _types[value])]], converted));
            _stored.Add((value, type), converted);
            return converted;
        }

        private void Store(Value value, Value stored)
        {
            _types[value] = stored.Type;
            _stored.Add((value, stored.Type), stored);
        }
    }
}
