using Atrous.Backends.Cuda.Convolutions;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>Turns nodes into steps: one row per operation.</summary>
/// <param name="graph">The network with its formats and slices.</param>
/// <param name="layout">Where its values lie.</param>
/// <param name="storage">The type that weights and activations are stored in.</param>
/// <param name="weights">The filters and vectors on the device.</param>
/// <param name="algorithms">Finds the convolutions' algorithms.</param>
/// <param name="copied">The values that are no slices any more, and cannot be made so again.</param>
internal sealed class DeviceSteps(
    DeviceGraph graph, DeviceLayout layout, DType storage, DeviceWeights weights, ConvolutionAlgorithms algorithms,
    IReadOnlySet<Value> copied)
{
    private readonly HashSet<Value> _refused = [];
    private readonly Dictionary<Node, Node> _biases = [];

    /// <summary>
    /// Slices that no engine reads or writes, or only slower than with a copy; the steps are good only when there is
    /// none.
    /// </summary>
    public IReadOnlySet<Value> Refused => _refused;

    /// <summary>Sends all weights of a network to the device.</summary>
    /// <exception cref="ModelException">A weight cannot be read.</exception>
    public static void Send(DeviceGraph graph, DType storage, DeviceWeights weights)
    {
        foreach (Node node in graph.Network.Nodes)
        {
            if (node.Op is Conv2d convolution)
                Weights(graph, storage, weights, node, convolution);
            else if (node.Op is BatchNorm norm)
                Norm(graph, weights, node, norm.Scale, norm.Shift);
            else if (node.Op is LayerNorm layer)
                Norm(graph, weights, node, layer.Scale, layer.Shift);
            else if (node.Op is GlobalResponse response)
                weights.Vector(response.Scale, response.Scale.Length);
        }
        weights.Trim();
    }

    /// <summary>The steps of the network, in order.</summary>
    /// <exception cref="UnavailableException">Neither cuDNN nor cuBLASLt computes one of the convolutions.</exception>
    public DeviceStep[] Make()
    {
        foreach (Node sum in graph.Network.Nodes.Where(node => node.Op is Binary))
        {
            if (BiasedBy(sum) is { } convolution)
                _biases.Add(convolution, sum);
        }
        return [.. graph.Network.Nodes.SelectMany(Of)];
    }

    private IEnumerable<DeviceStep> Of(Node node)
    {
        DeviceView x = layout.Of(node.Inputs[0]), y = layout.Of(node.Output);
        int channels = node.Inputs[0].Shape.Channels;
        return node.Op switch
        {
            Conv2d op => Convolution(node, op, x, node.Inputs.Count > 1 ? layout.Of(node.Inputs[1]) : null, y),
            BatchNorm op =>
                [Affine(node, Norm(graph, weights, node, op.Scale, op.Shift), op.Activation, x, y)],
            Activate op => [Affine(node, (0, 0), op.Activation, x, y)],
            Binary when _biases.ContainsValue(node) => [],
            Binary op =>
                [Kernel(
                    node, m => KernelLaunches.Binary(y.Type, op, x.At(m), layout.Of(node.Inputs[1]).At(m), y.At(m)))],
            MaxPool2d op => [Kernel(node, m => KernelLaunches.MaxPool(y.Type, op, x.At(m), y.At(m)))],
            AveragePool2d op => [Kernel(node, m => KernelLaunches.AveragePool(y.Type, op, x.At(m), y.At(m)))],
            GlobalAveragePool => [Kernel(node, m => KernelLaunches.GlobalAverage(y.Type, x.At(m), y.At(m)))],
            ResizeBilinear op =>
                [Kernel(
                    node, m => KernelLaunches.Resize(x.Type, y.Type, op, x.First(y.Shape.Channels).At(m), y.At(m)))],
            SliceChannels op => [Copy(node, x.Part(op.First, op.Channels), 0, 0, y)],
            Crop op => [Copy(node, x.First(channels), op.Top, op.Left, y)],
            MirrorPad op => [Copy(node, x.First(channels), -op.Border, -op.Border, y)],
            Concat => Concatenation(node, y),
            LayerNorm op => [Norm(node, op, x, y)],
            GlobalResponse op => Response(node, op, x, y),
            Attention op => [Attend(node, op, y)],
            LinearAttention op => [Attend(node, op, x, y)],
            Softmax op => [Kernel(node, m => KernelLaunches.Softmax(x.Type, op, x.First(channels).At(m), y.At(m)))],
            Argmax op => [Labels(node, op.Upsample, x.First(channels), y, null)],
            Confidence op => [Labels(node, op.Upsample, x.First(channels), null, y)],
            LabelsWithConfidence op =>
                [Labels(node, op.Upsample, x.First(channels), y, layout.Of(node.SecondOutput!))],
            _ => throw new UnavailableException($"The CUDA backend has no operation {node.Op.Name}."),
        };
    }

    private IEnumerable<DeviceStep> Convolution(Node node, Conv2d op, DeviceView x, DeviceView? residual, DeviceView y)
    {
        (int groups, ConvolutionWeights sent) = Weights(graph, storage, weights, node, op);
        if (DeviceWeights.IsDepthwise(op, groups))
        {
            Conv2d padded = op with { Groups = y.Shape.Channels };
            return
            [
                Kernel(node, m => KernelLaunches.Depthwise(
                    storage, padded, x.At(m), sent.Kernel, sent.WideBias, residual?.At(m) ?? default, y.At(m))),
            ];
        }
        (Value, DeviceView)? bias = null;
        if (_biases.TryGetValue(node, out Node? sum))
        {
            bias = (sum.Inputs[1], layout.Of(sum.Inputs[1]));
            op = op with { Activation = ((Binary)sum.Op).Activation };
        }
        ConvolutionProblem problem = new ConvolutionProblem(op, groups, x, y, residual) with
        {
            HasBias = op.Bias is not null || bias is not null,
        };
        Value[] slices =
        [
            .. node.Inputs.Append(node.Output).Where(value => !copied.Contains(value) && !layout.Of(value).IsPacked),
        ];
        if (algorithms.Find(problem) is { } algorithm && (slices.Length == 0 || !algorithms.IsFasterPacked(problem)))
            return [new ConvolutionStep(node, algorithm, sent, x, residual, bias, y)];
        if (slices.Length == 0)
        {
            string why = algorithms.LastRefusal is { } last ? $"; the last that was refused: {last}" : "";
            throw new UnavailableException(
                $"Neither cuDNN nor cuBLASLt has an engine for {node} in this precision ({problem.Key}{why}); use " +
                "another precision or the CPU.")
            {
                Remedy = Remedy.ChangePrecision | Remedy.UseCpu,
            };
        }
        _refused.UnionWith(slices);
        return [];
    }

    /// <summary>
    /// The convolution that can add a sum's second operand as its own bias: of one picture, one pixel is a bias. The
    /// sum must be in place, so that the convolution may write it.
    /// </summary>
    private Node? BiasedBy(Node sum)
    {
        if (sum is not { Op: Binary { Kind: BinaryKind.Add } }
            || sum.Inputs[1].Shape is not { Batch: 1, Height: 1, Width: 1 }
            || layout.Of(sum.Inputs[0]) != layout.Of(sum.Output)
            || graph.Network.Nodes.Any(node => node != sum && node.Inputs.Contains(sum.Inputs[0])))
        {
            return null;
        }
        List<Node> nodes = [.. graph.Network.Nodes];
        Node? maker = nodes.Find(node => node.Output == sum.Inputs[0]);
        return maker is { Op: Conv2d { Bias: null, Activation.Kind: ActivationKind.None } conv }
            && !DeviceWeights.IsDepthwise(conv, conv.Groups)
            && nodes.FindIndex(node => node.Output == sum.Inputs[1]) < nodes.IndexOf(maker)
            ? maker
            : null;
    }

    /// <summary>
    /// A grouped convolution stays one where its groups fill whole chunks, and is written as a dense one where not.
    /// </summary>
    private static (int Groups, ConvolutionWeights Weights) Weights(
        DeviceGraph graph, DType storage, DeviceWeights weights, Node node, Conv2d op)
    {
        int inputs = graph.FormatOf(node.Inputs[0]).Channels, outputs = graph.FormatOf(node.Output).Channels,
            lanes = Format.Lanes(storage);
        int groups = DeviceWeights.IsDepthwise(op, op.Groups)
            || (op.Kernel.Shape[1] % lanes == 0 && op.OutChannels / op.Groups % lanes == 0)
            ? op.Groups
            : 1;
        return (groups, weights.Get(op, groups, inputs, outputs));
    }

    private static (nint Scale, nint Shift) Norm(
        DeviceGraph graph, DeviceWeights weights, Node node, float[] scale, float[] shift)
    {
        int channels = graph.FormatOf(node.Output).Channels;
        return (weights.Vector(scale, channels), weights.Vector(shift, channels));
    }

    private KernelStep Norm(Node node, LayerNorm op, DeviceView x, DeviceView y)
    {
        (nint scale, nint shift) = Norm(graph, weights, node, op.Scale, op.Shift);
        DeviceView real = x.First(op.Scale.Length);
        return Kernel(node, m => KernelLaunches.LayerNorm(y.Type, op, real.At(m), scale, shift, y.At(m)));
    }

    private KernelStep[] Response(Node node, GlobalResponse op, DeviceView x, DeviceView y)
    {
        nint scale = weights.Vector(op.Scale, op.Scale.Length);
        DeviceView real = x.First(op.Scale.Length);
        return
        [
            Kernel(node, m => KernelLaunches.GlobalResponse(x.Type, op, real.At(m), scale, y.At(m)).Norms),
            Kernel(node, m => KernelLaunches.GlobalResponse(x.Type, op, real.At(m), scale, y.At(m)).Response),
        ];
    }

    private KernelStep Attend(Node node, Attention op, DeviceView y)
    {
        int channels = node.Output.Shape.Channels;
        DeviceView queries = Part(0), keys = Part(1), values = Part(2);
        return Kernel(node, m => KernelLaunches.Attention(
            y.Type, op, queries.At(m), keys.At(m), values.At(m), y.At(m)));

        DeviceView Part(int part)
        {
            (int input, int channel) = Attention.Locate(part, node.Inputs.Count, channels);
            return layout.Of(node.Inputs[input]).Part(channel, channels);
        }
    }

    private static KernelStep Attend(Node node, LinearAttention op, DeviceView x, DeviceView y)
    {
        int channels = node.Output.Shape.Channels;
        DeviceView scores = x.First(1), keys = x.Part(1, channels), values = x.Part(1 + channels, channels);
        return Kernel(node, m => KernelLaunches.LinearAttention(
            y.Type, op.Patch, scores.At(m), keys.At(m), values.At(m), y.At(m)));
    }

    private static KernelStep Kernel(Node node, Func<nint, KernelLaunch> launch) => new(node, launch);

    private static KernelStep Affine(
        Node node, (nint Scale, nint Shift) norm, Activation activation, DeviceView x, DeviceView y) =>
        new(node, m => KernelLaunches.Affine(y.Type, x.At(m), norm.Scale, norm.Shift, activation, y.At(m)));

    private static KernelStep Copy(Node node, DeviceView x, int top, int left, DeviceView y) =>
        new(node, m => KernelLaunches.Copy(x.Type, y.Type, x.At(m), top, left, y.At(m)));

    /// <summary>
    /// Copies the inputs that were not written into their slices in the first place: all in one launch where none was,
    /// and the last with zeros in the channels that pad.
    /// </summary>
    private List<DeviceStep> Concatenation(Node node, DeviceView y)
    {
        var parts = new List<(DeviceView From, DeviceView To)>();
        int channel = 0;
        foreach (Value input in node.Inputs)
        {
            bool inPlace = graph.Network.Slices.TryGetValue(input, out Slice? slice)
                && slice == new Slice(node.Output, channel);
            int channels = input.Shape.Channels, next = channel + channels;
            if (!inPlace)
            {
                int room = next == node.Output.Shape.Channels ? y.Shape.Channels - channel : channels;
                parts.Add(
                    (layout.Of(input).First(channels),
                    y.First(room) with { Offset = y.Offset + (long)channel * y.Type.SizeInBytes() }));
            }
            channel = next;
        }
        bool together = parts.Count == node.Inputs.Count && parts.Count is > 1 and <= KernelLaunches.MostParts
            && channel == y.Shape.Channels && parts.All(part => part.From.Type == y.Type);
        return together
            ? [Kernel(node, m => KernelLaunches.Concat(y.Type, [.. parts.Select(part => part.From.At(m))], y.At(m)))]
            : [.. parts.Select(part => Copy(node, part.From, 0, 0, part.To))];
    }

    private KernelStep Labels(
        Node node, ResizeBilinear? upsample, DeviceView logits, DeviceView? labels, DeviceView? confidence) =>
        new(node, m => KernelLaunches.Labels(
            logits.Type, upsample, logits.At(m), labels?.At(m).Data ?? 0, labels?.Type ?? DType.UInt8,
            confidence?.At(m).Data ?? 0, m + (nint)layout.NotFinite.Offset));
}
