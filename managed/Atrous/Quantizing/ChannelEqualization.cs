using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;

namespace Atrous.Quantizing;

/// <summary>
/// What channels are multiplied by, so that each of them uses the elements of its value: the convolution that makes a
/// channel makes a multiple of it, and the one that reads it divides (Nagel et al. 2019, arXiv:1906.04721, section
/// 4.1). Kernels have a step for each output channel, so that it is the ranges of activations that are made even.
/// Factors are powers of two: in float32 the scores keep every bit.
/// </summary>
/// <param name="Made">By the names of kernels: the factors of their output channels.</param>
/// <param name="Read">By the names of kernels: what their input channels were multiplied by.</param>
internal sealed record ChannelEqualization(
    IReadOnlyDictionary<string, float[]> Made, IReadOnlyDictionary<string, float[]> Read)
{
    /// <summary>What is smaller than the largest channel by more doublings is below a step, and nothing.</summary>
    private const int MostDoublings = 8;

    /// <summary>
    /// How many times as large as on all pictures a multiplied channel may become before it is clipped: by the range of
    /// its value, or by ReLU6, which holds the multiple below 6 and so the channel below a part of 6.
    /// </summary>
    private const double Margin = 2;

    private const float LimitOfRelu6 = 6;

    /// <summary>
    /// Parts of the doublings that a channel gets where its reader sums over channels: there its weights shrink beside
    /// those of other channels and are rounded more. A depthwise kernel has a step for each channel and loses nothing.
    /// </summary>
    private static readonly double[] Parts = [0, 0.5, 1];

    /// <summary>What can be tried; nothing where channels are alike, or where none may be multiplied.</summary>
    /// <param name="graph">The network after <see cref="GraphPasses.FusionsOfLayers"/>.</param>
    /// <param name="kernels">The names of the weights that may multiply in 8 bits.</param>
    /// <param name="statistics">What its values are like, by their names.</param>
    public static IReadOnlyList<ChannelEqualization> Offers(
        NetworkGraph graph, IReadOnlySet<string> kernels, IReadOnlyDictionary<string, ChannelStatistics> statistics)
    {
        var offers = new List<ChannelEqualization>();
        foreach (double part in Parts)
        {
            ChannelEqualization offer = new Search(graph, kernels, statistics, part).Run();
            if (offer.Made.Count > 0 && (offers.Count == 0 || !offer.IsSameAs(offers[^1])))
                offers.Add(offer);
        }
        return offers;
    }

    private bool IsSameAs(ChannelEqualization other) =>
        Made.Count == other.Made.Count
        && Made.All(row =>
            other.Made.TryGetValue(row.Key, out float[]? made) && made.AsSpan().SequenceEqual(row.Value));

    private sealed class Search
    {
        private readonly NetworkGraph _graph;
        private readonly IReadOnlySet<string> _kernels;
        private readonly IReadOnlyDictionary<string, ChannelStatistics> _statistics;
        private readonly double _part;
        private readonly Readership _readership;
        private readonly IReadOnlyDictionary<Value, Node> _makers;
        private readonly Dictionary<string, int> _uses;
        private readonly Dictionary<string, float[]> _made = new(StringComparer.Ordinal);
        private readonly Dictionary<string, float[]> _read = new(StringComparer.Ordinal);

        public Search(
            NetworkGraph graph, IReadOnlySet<string> kernels,
            IReadOnlyDictionary<string, ChannelStatistics> statistics, double part)
        {
            (_graph, _kernels, _statistics, _part) = (graph, kernels, statistics, part);
            _readership = new Readership(graph);
            _makers = graph.Makers();
            _uses = graph.Nodes.Select(node => node.Op).OfType<Conv2d>().CountBy(conv => conv.Kernel.Name)
                .ToDictionary();
        }

        public ChannelEqualization Run()
        {
            foreach (Node node in _graph.Nodes)
            {
                if (node.Op is Conv2d conv && _kernels.Contains(conv.Kernel.Name) && IsUsedOnce(conv))
                    Equalize(conv, node.Inputs[0]);
            }
            return new ChannelEqualization(_made, _read);
        }

        /// <summary>Makes the channels of what a convolution reads even.</summary>
        private void Equalize(Conv2d reader, Value input)
        {
            var makers = new List<(Node Node, int First)>();
            Find(input, 0, makers);
            if (makers.Count == 0 || !_statistics.TryGetValue(input.Name, out ChannelStatistics? whole))
                return;
            ChannelStatistics[] of = [.. makers.Select(maker => _statistics[maker.Node.Output.Name])];
            float low = Math.Min(whole.Low, of.Min(maker => maker.Low));
            float high = Math.Max(whole.High, of.Max(maker => maker.High));
            double part = reader.Kernel.Shape[1] == 1 && reader.Groups > 1 ? 1 : _part;
            float[] factors = new float[input.Shape.Channels];
            Array.Fill(factors, 1);
            foreach (((Node node, int first), ChannelStatistics channels) in makers.Zip(of))
            {
                var conv = (Conv2d)node.Op;
                float end = conv.Activation.Kind == ActivationKind.Relu6 ? Math.Min(high, LimitOfRelu6) : high;
                float[] made = new float[conv.OutChannels];
                for (int c = 0; c < made.Length; c++)
                {
                    double room = Math.Min(Room(end, channels.Highs[c]), Room(-low, -channels.Lows[c]));
                    int doublings = double.IsFinite(room)
                        ? (int)(Math.Clamp(Math.Floor(Math.Log2(room)), 0, MostDoublings) * part) : 0;
                    factors[first + c] = made[c] = MathF.ScaleB(1, doublings);
                }
                if (made.Any(factor => factor != 1))
                    _made.Add(conv.Kernel.Name, made);
            }
            if (factors.Any(factor => factor != 1))
                _read.Add(reader.Kernel.Name, factors);
        }

        /// <summary>By how much a channel's end may be multiplied; infinite where it has no such end.</summary>
        private static double Room(double end, double channel) =>
            channel > 0 ? Math.Max(end / channel / Margin, 1) : double.PositiveInfinity;

        /// <summary>
        /// The convolutions that make a value which nobody else reads, directly or through operations that make of each
        /// channel one that grows with it.
        /// </summary>
        private void Find(Value value, int first, List<(Node Node, int First)> makers)
        {
            if (!_readership.IsReadOnce(value) || !_makers.TryGetValue(value, out Node? maker))
                return;
            switch (maker.Op)
            {
                case Concat:
                    foreach (Value part in maker.Inputs)
                    {
                        Find(part, first, makers);
                        first += part.Shape.Channels;
                    }
                    break;
                case MaxPool2d or AveragePool2d or GlobalAveragePool or ResizeBilinear:
                    Find(maker.Inputs[0], first, makers);
                    break;
                // One pixel of each picture would say little of a channel's range.
                case Conv2d conv when value.Shape.Pixels > 1 && IsUsedOnce(conv) && maker.Inputs.Count == 1
                    && conv.Scale is null && Grows(conv.Activation.Kind) && _statistics.ContainsKey(value.Name):
                    makers.Add((maker, first));
                    break;
            }
        }

        /// <summary>Whether a multiple of the sums makes the multiple; ReLU6 does up to its limit.</summary>
        private static bool Grows(ActivationKind kind) => kind
            is ActivationKind.None or ActivationKind.Relu or ActivationKind.LeakyRelu or ActivationKind.Relu6;

        private bool IsUsedOnce(Conv2d conv) => _uses[conv.Kernel.Name] == 1;
    }
}
