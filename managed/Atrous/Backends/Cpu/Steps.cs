using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Backends.Cpu;

/// <summary>One call into libatrous with everything but the addresses decided.</summary>
internal delegate AtrousStatus Step(EngineHandle engine, Frame frame);

/// <summary>Turns nodes into calls: one row per operation.</summary>
internal static unsafe class Steps
{
    /// <summary>Multiply-adds of an attention that is one step: a fraction of a second.</summary>
    private const long MostAttention = 1L << 32;

    /// <summary>Queries of each sequence that a part of an attention has at least.</summary>
    private const int FewestQueries = 2048;

    /// <summary>The calls of a graph, in order.</summary>
    /// <exception cref="UnavailableException">The graph has an operation that libatrous does not have.</exception>
    public static (Node, Step)[] Of(NetworkGraph graph, Layout layout, PackedConvolutions convolutions)
    {
        var steps = new List<(Node, Step)>();
        foreach (Node node in graph.Nodes)
        {
            foreach (Step step in Of(node, graph, layout, convolutions))
                steps.Add((node, step));
        }
        for (int i = 0; i < graph.Outputs.Count; i++)
        {
            // An output that is an input of the graph, or that was asked for before.
            View made = layout.Of(graph.Outputs[i]), asked = layout.OfOutput(i);
            if (made != asked)
                steps.Add((new Node(new Concat(), [graph.Outputs[i]], graph.Outputs[i]), Duplicate(made, asked)));
        }
        return [.. steps];
    }

    private static Step Duplicate(View from, View to) => (_, frame) =>
    {
        long size = to.Shape.Elements * to.Type.SizeInBytes();
        Buffer.MemoryCopy(from.In(frame).Data, to.In(frame).Data, size, size);
        return AtrousStatus.Ok;
    };

    private static IEnumerable<Step> Of(Node node, NetworkGraph graph, Layout layout, PackedConvolutions convolutions)
    {
        View x = layout.Of(node.Inputs[0]), y = layout.Of(node.Output);
        return node.Op switch
        {
            Conv2d op =>
                [Convolution(op, convolutions.Get(op, x.Type, x.Quantization.Zero), x, Residual(node, layout), y)],
            SeparableConv2d op => [Separable(op, convolutions, x, Residual(node, layout), y)],
            BatchNorm op => [Affine(op.Scale, op.Shift, op.Activation, x, y)],
            Activate op => [Affine(null, null, op.Activation, x, y)],
            Binary op => [Elementwise(op, x, layout.Of(node.Inputs[1]), y)],
            MaxPool2d op => [MaxPool(op, x, y)],
            AveragePool2d op => [AveragePool(op.KernelHeight, op.KernelWidth, op.Stride, x, y)],
            GlobalAveragePool => [AveragePool(x.Shape.Height, x.Shape.Width, 1, x, y)],
            ResizeBilinear op => [Resize(op, x, y)],
            SliceChannels op => [Copy(x.Slice(op.First, op.Channels), 0, 0, y)],
            Crop op => [Copy(x, op.Top, op.Left, y)],
            MirrorPad op => [Copy(x, -op.Border, -op.Border, y)],
            Concat => Concatenation(node, graph, layout, y),
            LayerNorm op => [Norm(op, x, y)],
            GlobalResponse op => [Response(op, x, y)],
            Attention op => Attend(op, node, layout, y),
            LinearAttention op => [Attend(op.Patch, x, y)],
            Softmax op => [(engine, frame) => LibAtrous.Softmax(engine, x.In(frame), op.Slices, y.In(frame))],
            Argmax op => [Labels(op.Upsample, x, y, null)],
            Confidence op => [Labels(op.Upsample, x, null, y)],
            LabelsWithConfidence op => [Labels(op.Upsample, x, y, layout.Of(node.SecondOutput!))],
            _ => throw new UnavailableException($"The CPU backend has no operation {node.Op.Name}."),
        };
    }

    private static Step Convolution(Conv2d op, Conv2dHandle packed, View x, View? residual, View y) =>
        (engine, frame) =>
    {
        NativeTensor added = residual?.In(frame) ?? default;
        return LibAtrous.Conv2dRun(
            engine, packed, x.In(frame), op.Padding.Top, op.Padding.Left,
            residual is null ? null : &added, y.In(frame));
    };

    private static Step Separable(SeparableConv2d op, PackedConvolutions convolutions, View x, View? residual, View y)
    {
        Conv2dHandle depthwise = convolutions.Get(op.Depthwise, x.Type);
        Conv2dHandle pointwise = convolutions.Get(op.Pointwise, op.Between);
        return (engine, frame) =>
        {
            NativeTensor added = residual?.In(frame) ?? default;
            return LibAtrous.SeparableRun(
                engine, depthwise, pointwise, x.In(frame), op.Depthwise.Padding.Top, op.Depthwise.Padding.Left,
                residual is null ? null : &added, y.In(frame));
        };
    }

    private static View? Residual(Node node, Layout layout) => node.Inputs.Count > 1 ? layout.Of(node.Inputs[1]) : null;

    private static Step Affine(float[]? scale, float[]? shift, Activation activation, View x, View y) =>
        (engine, frame) =>
    {
        fixed (float* factors = scale, terms = shift)
            return LibAtrous.Affine(
                engine, x.In(frame), factors, terms, (int)activation.Kind, activation.Slope, y.In(frame));
    };

    private static Step Norm(LayerNorm op, View x, View y) => (engine, frame) =>
    {
        fixed (float* factors = op.Scale, terms = op.Shift)
            return LibAtrous.LayerNorm(
                engine, x.In(frame), factors, terms, (float)op.Epsilon, op.WholePicture ? 1 : 0, y.In(frame));
    };

    private static Step Response(GlobalResponse op, View x, View y) => (engine, frame) =>
    {
        fixed (float* factors = op.Scale)
            return LibAtrous.GlobalResponse(engine, x.In(frame), factors, (float)op.Epsilon, y.In(frame));
    };

    /// <summary>
    /// One step, or, where it would take long, one for each of some bands of rows, so that a run can be cancelled.
    /// </summary>
    private static IEnumerable<Step> Attend(Attention op, Node node, Layout layout, View y)
    {
        View queries = Part(0), keys = Part(1), values = Part(2);
        long work = op.MultiplyAdds([.. node.Inputs.Select(input => input.Shape)]);
        if (work <= MostAttention)
        {
            yield return Attend(op, queries, keys, values, y);
            yield break;
        }
        Shape shape = y.Shape;
        long ofRow = work / shape.Batch / shape.Height, tokens = shape.Width / op.Patch;
        // Whole patches, and queries enough to keep many threads busy.
        long patches = Math.Max(MostAttention / ofRow / op.Patch, (FewestQueries + tokens - 1) / tokens);
        int band = (int)Math.Min(patches * op.Patch, shape.Height);
        for (int picture = 0; picture < shape.Batch; picture++)
        {
            View pictureKeys = keys.Rows(picture, 0, keys.Shape.Height);
            View pictureValues = values.Rows(picture, 0, values.Shape.Height);
            for (int row = 0; row < shape.Height; row += band)
            {
                int rows = Math.Min(band, shape.Height - row);
                yield return Attend(
                    op, queries.Rows(picture, row, rows), pictureKeys, pictureValues, y.Rows(picture, row, rows));
            }
        }

        View Part(int part)
        {
            (int input, int channel) = Attention.Locate(part, node.Inputs.Count, y.Shape.Channels);
            return layout.Of(node.Inputs[input]).Slice(channel, y.Shape.Channels);
        }
    }

    private static Step Attend(Attention op, View queries, View keys, View values, View y) =>
        (engine, frame) => LibAtrous.Attention(
            engine, queries.In(frame), keys.In(frame), values.In(frame), op.Heads, op.Scale, op.Patch, y.In(frame));

    private static Step Attend(int patch, View x, View y)
    {
        int channels = y.Shape.Channels;
        View scores = x.Slice(0, 1), keys = x.Slice(1, channels), values = x.Slice(1 + channels, channels);
        return (engine, frame) => LibAtrous.LinearAttention(
            engine, scores.In(frame), keys.In(frame), values.In(frame), patch, y.In(frame));
    }

    private static Step Elementwise(Binary op, View a, View b, View y) => (engine, frame) => LibAtrous.BinaryOp(
        engine, (int)op.Kind, a.In(frame), b.In(frame), (int)op.Activation.Kind, op.Activation.Slope, y.In(frame));

    private static Step MaxPool(MaxPool2d op, View x, View y)
    {
        var desc = new NativePool
        {
            KernelHeight = op.Kernel,
            KernelWidth = op.Kernel,
            StrideHeight = op.Stride,
            StrideWidth = op.Stride,
            PadTop = op.Padding,
            PadLeft = op.Padding,
        };
        return (engine, frame) => LibAtrous.MaxPool(engine, x.In(frame), desc, y.In(frame));
    }

    private static Step AveragePool(int height, int width, int stride, View x, View y)
    {
        var desc = new NativePool
        {
            KernelHeight = height,
            KernelWidth = width,
            StrideHeight = stride,
            StrideWidth = stride,
        };
        return (engine, frame) => LibAtrous.AveragePool(engine, x.In(frame), desc, y.In(frame));
    }

    private static Step Resize(ResizeBilinear op, View x, View y)
    {
        NativeResize desc = Desc(op);
        return (engine, frame) => LibAtrous.ResizeBilinear(engine, x.In(frame), desc, y.In(frame));
    }

    private static Step Copy(View x, int top, int left, View y) =>
        (engine, frame) => LibAtrous.Copy(engine, x.In(frame), top, left, y.In(frame));

    /// <summary>Copies the inputs that were not written into their slices in the first place.</summary>
    private static List<Step> Concatenation(Node node, NetworkGraph graph, Layout layout, View y)
    {
        var copies = new List<Step>();
        int channel = 0;
        foreach (Value input in node.Inputs)
        {
            bool inPlace = graph.Slices.TryGetValue(input, out Slice? slice)
                && slice == new Slice(node.Output, channel);
            if (!inPlace)
            {
                copies.Add(Copy(layout.Of(input), 0, 0, y.Slice(channel, input.Shape.Channels)));
            }
            channel += input.Shape.Channels;
        }
        return copies;
    }

    private static Step Labels(ResizeBilinear? upsample, View logits, View? labels, View? confidence)
    {
        NativeResize desc = upsample is null ? default : Desc(upsample);
        (int height, int width) = upsample is null
            ? (logits.Shape.Height, logits.Shape.Width)
            : (upsample.Height, upsample.Width);
        return (engine, frame) => LibAtrous.ResizeArgmax(
            engine, logits.In(frame), desc, height, width,
            labels is { } l ? (ushort*)l.In(frame).Data : null, confidence is { } c ? (float*)c.In(frame).Data : null);
    }

    private static NativeResize Desc(ResizeBilinear op) =>
        new() { Sampling = (int)op.Sampling, ScaleHeight = op.Scale, ScaleWidth = op.Scale };
}
