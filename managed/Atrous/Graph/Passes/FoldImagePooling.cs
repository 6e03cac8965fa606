using System.Runtime.CompilerServices;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Graph.Passes;

/// <summary>
/// ASPP's image pooling is one vector per picture, which is spread over all pixels, joined with the other branches and
/// multiplied by its columns of the projection. The same vector comes of multiplying first and adding the product, one
/// pixel per picture, to the projection of the others: exact, and a fifth of the projection is never computed. w [a, b]
/// + c = w_a a + (w_b b + c).
/// </summary>
internal static class FoldImagePooling
{
    public static NetworkGraph Apply(NetworkGraph graph)
    {
        var readership = new Readership(graph);
        IReadOnlyDictionary<Value, Node> makers = graph.Makers();
        var folds = new Dictionary<Node, PooledBranch>();
        var gone = new HashSet<Node>();
        foreach (Node node in graph.Nodes)
        {
            if (IsProjection(node) && MakerIfReadOnce(node.Inputs[0]) is { Op: Concat } concat
                && concat.Inputs.Count > 1
                && concat.Inputs.FirstOrDefault(input => VectorOf(input) is not null) is { } branch)
            {
                Value vector = VectorOf(branch)!;
                folds.Add(node, new(concat, branch, vector));
                gone.Add(concat);
                if (vector != branch)
                    gone.Add(makers[branch]);
            }
        }
        return folds.Count == 0
            ? graph
            : graph with
            {
                Nodes =
                [
                    .. graph.Nodes.Where(node => !gone.Contains(node))
                        .SelectMany(node => folds.TryGetValue(node, out PooledBranch? fold)
                        ? Fold(node, fold.Concat, fold.Branch, fold.Vector) : [node]),
                ],
            };

        Node? MakerIfReadOnce(Value value) => readership.IsReadOnce(value) ? makers.GetValueOrDefault(value) : null;

        // What a branch spreads over all pixels; where there is but one pixel it is the branch itself.
        Value? VectorOf(Value branch) =>
            MakerIfReadOnce(branch) is not { } maker ? null : IsSpread(maker) ? maker.Inputs[0] : IsPooled(maker)
            ? branch : null;

        bool IsPooled(Node? node) =>
            node is { Op: GlobalAveragePool }
            || (node is { Op: Conv2d or Activate or BatchNorm, Inputs: [{ Shape: { Height: 1, Width: 1 } } x] }
                && IsPooled(makers.GetValueOrDefault(x)));
    }

    /// <summary>What a projection reads: the concatenation, the branch of one pixel in it, and that pixel.</summary>
    private sealed record PooledBranch(Node Concat, Value Branch, Value Vector);

    private static bool IsProjection(Node node) =>
        node.Op is Conv2d { KernelHeight: 1, KernelWidth: 1, Stride: 1, Groups: 1 } conv
        && conv.Padding == Padding.None;

    /// <summary>One pixel per picture becomes all of them.</summary>
    private static bool IsSpread(Node node) =>
        node is { Op: ResizeBilinear } && node.Inputs[0].Shape is { Height: 1, Width: 1 }
        && node.Output.Shape is not { Height: 1, Width: 1 };

    private static IEnumerable<Node> Fold(Node project, Node concat, Value branch, Value vector)
    {
        var conv = (Conv2d)project.Op;
        int place = concat.Inputs.ToList().IndexOf(branch);
        int first = concat.Inputs.Take(place).Sum(input => input.Shape.Channels), count = branch.Shape.Channels;
        Value[] others = [.. concat.Inputs.Where(input => input != branch)];
        string name = project.Output.Name;

        var term = new Value($"{name}.context", vector.Shape with { Channels = conv.OutChannels });
        yield return new Node(
            conv with { Kernel = InputChannels.Of(conv.Kernel, first, count), Activation = Activation.None }, [vector],
            term);
        Value rest = others[0];
        if (others.Length > 1)
        {
            rest = new Value(
                concat.Output.Name, concat.Output.Shape with { Channels = concat.Output.Shape.Channels - count });
            yield return new Node(concat.Op, others, rest);
        }
        var sum = new Value($"{name}.rest", project.Output.Shape);
        yield return new Node(
            conv with
            {
                Kernel = InputChannels.Without(conv.Kernel, first, count),
                Bias = null,
                Activation = Activation.None
            },
            [rest, .. project.Inputs.Skip(1)], sum);
        yield return new Node(new Binary(BinaryKind.Add, conv.Activation), [sum, term], project.Output);
    }

    /// <summary>
    /// A part of a convolution's weight, by its input channels. The same part of the same weight is the same object, so
    /// that graphs of all shapes share what a backend made of it.
    /// </summary>
    private sealed class InputChannels : IWeightSource
    {
        private static readonly ConditionalWeakTable<Weight, Dictionary<Channels, Weight>> Parts = [];

        private sealed record Channels(int First, int Count, bool Without);

        private readonly Weight _whole;
        private readonly int _first, _count;
        private readonly bool _without;

        private InputChannels(Weight whole, int first, int count, bool without)
        {
            (_whole, _first, _count, _without) = (whole, first, count, without);
            int channels = without ? whole.Shape[1] - count : count;
            string name = $"{whole.Name}[{(without ? "not " : "")}{first}..{first + count}]";
            Weights = new Dictionary<string, WeightInfo>
            {
                [name] = new(name, DType.Float32, [whole.Shape[0], channels, whole.Shape[2], whole.Shape[3]]),
            };
        }

        public IReadOnlyDictionary<string, WeightInfo> Weights { get; }

        public static Weight Of(Weight whole, int first, int count) => Part(whole, first, count, without: false);

        public static Weight Without(Weight whole, int first, int count) => Part(whole, first, count, without: true);

        public void Read(string name, Span<float> destination)
        {
            float[] values = _whole.ToArray();
            int taps = _whole.Shape[2] * _whole.Shape[3], inputs = _whole.Shape[1], at = 0;
            for (int output = 0; output < _whole.Shape[0]; output++)
            {
                for (int input = 0; input < inputs; input++)
                {
                    if ((input >= _first && input < _first + _count) == _without)
                        continue;
                    values.AsSpan((output * inputs + input) * taps, taps).CopyTo(destination[at..]);
                    at += taps;
                }
            }
        }

        public void Dispose()
        {
            // The whole weight is its own file's.
        }

        private static Weight Part(Weight whole, int first, int count, bool without)
        {
            Dictionary<Channels, Weight> parts = Parts.GetOrCreateValue(whole);
            lock (parts)
            {
                var channels = new Channels(first, count, without);
                if (!parts.TryGetValue(channels, out Weight? part))
                {
                    var source = new InputChannels(whole, first, count, without);
                    parts.Add(channels, part = new Weight(source, source.Weights.Values.Single()));
                }
                return part;
            }
        }
    }
}
