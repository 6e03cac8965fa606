using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>Runs the nodes one after the other; every value has its own memory, freed after its last reader.</summary>
internal sealed class ReferenceExecutable : IExecutable
{
    private readonly NetworkGraph _graph;
    private readonly Action<Node, Tensor>? _observer;
    private readonly Action<Tensor[], Tensor[]>[] _kernels;
    private readonly ILookup<int, Value> _lastRead;

    public ReferenceExecutable(NetworkGraph graph, Action<Node, Tensor>? observer)
    {
        _graph = graph;
        _observer = observer;
        _kernels = [.. graph.Nodes.Select(node => Bytes.Has(node) ? Bytes.Kernel(node) : Kernel(node.Op))];
        _lastRead = LastReads(graph);
    }

    public void Run(
        ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellationToken = default)
    {
        Signature.Check(_graph, inputs, outputs);
        using var held = new TensorLease(inputs, outputs);
        Dictionary<Value, Tensor> lent = Pair(_graph.Inputs, inputs), results = Pair(_graph.Outputs, outputs);
        foreach (Value input in _graph.Inputs.Where(results.ContainsKey))
            Copying.Copy(lent[input], results[input]);

        var owned = new Dictionary<Value, Tensor>();
        Tensor Make(Value value)
        {
            if (!results.TryGetValue(value, out Tensor? tensor))
                owned.Add(value, tensor = new Tensor(value.Shape, Unrounded(value.Type)));
            return tensor;
        }
        Tensor Find(Value value) => owned.GetValueOrDefault(value) ?? lent.GetValueOrDefault(value) ?? results[value];
        try
        {
            for (int i = 0; i < _kernels.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Node node = _graph.Nodes[i];
                Tensor[] made = [.. node.Outputs.Select(Make)];
                _kernels[i]([.. node.Inputs.Select(Find)], made);
                _observer?.Invoke(node, made[0]);
                foreach (Value dead in _lastRead[i])
                {
                    if (owned.Remove(dead, out Tensor? tensor))
                        tensor.Dispose();
                }
            }
            for (int i = 0; i < outputs.Length; i++)
            {
                if (outputs[i] != results[_graph.Outputs[i]])
                    Copying.Copy(results[_graph.Outputs[i]], outputs[i]);
            }
        }
        finally
        {
            foreach (Tensor tensor in owned.Values)
                tensor.Dispose();
        }
    }

    public void Dispose()
    {
    }

    // The reference says what is computed, not how it is stored: bfloat16 is float32 here.
    private static DType Unrounded(DType type) => type == DType.BFloat16 ? DType.Float32 : type;

    // The same value may be asked for twice; the first tensor stands for it.
    private static Dictionary<Value, Tensor> Pair(IReadOnlyList<Value> values, ReadOnlySpan<Tensor> tensors)
    {
        var pairs = new Dictionary<Value, Tensor>();
        for (int i = 0; i < values.Count; i++)
            pairs.TryAdd(values[i], tensors[i]);
        return pairs;
    }

    /// <summary>The one list of operations.</summary>
    private static Action<Tensor[], Tensor[]> Kernel(Op op) => op switch
    {
        Conv2d conv => (x, y) => Convolution.Run(conv, x[0], x.Length > 1 ? x[1] : null, y[0]),
        SeparableConv2d conv => (x, y) => Separable(conv, x, y[0]),
        MaxPool2d pool => (x, y) => Pooling.Max(pool, x[0], y[0]),
        AveragePool2d pool => (x, y) => Pooling.Average(pool.KernelHeight, pool.KernelWidth, pool.Stride, x[0], y[0]),
        GlobalAveragePool => (x, y) => Pooling.Average(x[0].Shape.Height, x[0].Shape.Width, 1, x[0], y[0]),
        ResizeBilinear resize => (x, y) => Resizing.Bilinear(resize, x[0], y[0]),
        BatchNorm norm => (x, y) => Elementwise.Affine(norm, x[0], y[0]),
        Activate activate => (x, y) => Elementwise.Activate(activate.Activation, x[0], y[0]),
        Binary binary => (x, y) => Elementwise.Combine(binary, x[0], x[1], y[0]),
        Concat => (x, y) => Copying.Concatenate(x, y[0]),
        SliceChannels slice => (x, y) => Copying.Slice(slice.First, x[0], y[0]),
        Crop crop => (x, y) => Copying.Window(crop.Top, crop.Left, x[0], y[0]),
        MirrorPad pad => (x, y) => Copying.Mirror(pad.Border, x[0], y[0]),
        LayerNorm norm => (x, y) => Normalising.Layer(norm, x[0], y[0]),
        GlobalResponse response => (x, y) => Normalising.Response(response, x[0], y[0]),
        Attention attention => (x, y) => Attending.Dot(attention, x, y[0]),
        LinearAttention attention => (x, y) => Attending.Linear(attention.Patch, x[0], y[0]),
        Softmax softmax => (x, y) => Labelling.Softmax(softmax, x[0], y[0]),
        Argmax argmax => (x, y) => Labelling.Upsampled(argmax.Upsample, x[0], logits => Labelling.Argmax(logits, y[0])),
        Confidence confidence => (x, y) =>
            Labelling.Upsampled(confidence.Upsample, x[0], logits => Labelling.Confidence(logits, y[0])),
        LabelsWithConfidence both => (x, y) => Labelling.Upsampled(both.Upsample, x[0], logits =>
        {
            Labelling.Argmax(logits, y[0]);
            Labelling.Confidence(logits, y[1]);
        }),
        _ => throw new UnavailableException($"The reference backend has no operation {op.Name}."),
    };

    private static void Separable(SeparableConv2d conv, Tensor[] x, Tensor y)
    {
        using var between = new Tensor(conv.Depthwise.OutputShape([x[0].Shape]));
        Convolution.Run(conv.Depthwise, x[0], null, between);
        Convolution.Run(conv.Pointwise, between, x.Length > 1 ? x[1] : null, y);
    }

    /// <summary>By the index of a node: the values that nobody reads after it.</summary>
    private static ILookup<int, Value> LastReads(NetworkGraph graph)
    {
        var last = new Dictionary<Value, int>();
        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            // A value that nobody reads dies where it is made.
            foreach (Value output in graph.Nodes[i].Outputs)
                last[output] = i;
            foreach (Value input in graph.Nodes[i].Inputs)
                last[input] = i;
        }
        return last.ToLookup(pair => pair.Value, pair => pair.Key);
    }
}
