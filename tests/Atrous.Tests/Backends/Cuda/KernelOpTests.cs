using Atrous.Backends.Cuda;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends.Cuda;

/// <summary>
/// Every operation case that a kernel computes, on the host, against the reference: all storages, packed and as slices,
/// so that whole words and single elements are both used. The inputs are rounded to the storage first, so what remains
/// is one rounding of the result beside float32's own.
/// </summary>
public sealed class KernelOpTests
{
    /// <summary>As for every backend (OpTests).</summary>
    private const double Limit = 1e-5;

    private static readonly DType[] Storages = [DType.Float32, DType.Float16, DType.BFloat16];

    /// <summary>Cases that the OpCases are too small for: channels that fill words of 16 bytes, and odd ones.</summary>
    private static readonly OpCase[] More =
    [
        .. from channels in new[] { 1, 3, 21, 24, 304 }
           from size in new[] { (1, 1), (3, 13), (6, 5) }
           from test in Shapes(channels, size.Item1, size.Item2)
           select test,
        new("wide_global", new GlobalAveragePool(), [new(2, 37, 31, 88)],
            "more pixels than threads, more chunks than a block"),
        new("wide_row", new Activate(Activation.Relu), [new(1, 1, 3001, 8)], "more than one block along a row"),
        new("aspp", new Concat(),
            [new(2, 3, 4, 16), new(2, 3, 4, 16), new(2, 3, 4, 16), new(2, 3, 4, 16), new(2, 3, 4, 16),
            new(2, 3, 4, 16)], "six parts"),
    ];

    public static TheoryData<string> Cases =>
    [
        // What makes two outputs is the kernel of either, launched once for both: OpTests runs it.
        .. OpCases.All.Concat(More).Where(test => IsOurs(test.Op) && test.Op.SecondOutputType is null)
            .Select(test => test.Name),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees_with_the_reference(string name)
    {
        OpCase test = More.FirstOrDefault(test => test.Name == name) ?? OpCases.Find(name);
        foreach (DType storage in Storages)
        {
            float[][] inputs =
                [.. test.InputValues()
                .Select(values => values.Select(value => StoredTensor.Round(storage, value)).ToArray())];
            Array expected = Running.Reference(test.Graph(), inputs)[0];
            foreach (Placing placing in Enum.GetValues<Placing>())
                Compare(test, storage, placing, inputs, expected);
        }
    }

    [Fact]
    public void Every_operation_that_is_no_matrix_product_has_a_kernel() =>
        Assert.Equal(
            ["Conv2d"],
            OpCases.All.Where(test => !IsOurs(test.Op)).Select(test => test.Op.Name).Distinct());

    /// <summary>Dense and grouped convolutions are cuDNN's and cuBLASLt's.</summary>
    private static bool IsOurs(Op op) =>
        op is not Conv2d conv || (conv.Kernel.Shape[1] == 1 && conv.OutChannels == conv.Groups);

    private static IEnumerable<OpCase> Shapes(int channels, int height, int width)
    {
        Shape x = new(1, height, width, channels);
        string suffix = $"{channels}_{height}x{width}";
        yield return new($"more_depthwise_{suffix}",
            Depthwise($"more_depthwise_{suffix}", channels, 1, 2, Activation.Relu), [x], "all sizes");
        yield return new($"more_strided_{suffix}",
            Depthwise($"more_strided_{suffix}", channels, 2, 1, Activation.HardSwish), [x], "all sizes");
        yield return new($"more_binary_{suffix}", new Binary(BinaryKind.Add, Activation.Relu), [x, x], "all sizes");
        yield return new($"more_gate_{suffix}", new Binary(BinaryKind.Multiply, Activation.None),
            [x, x with { Height = 1, Width = 1 }], "all sizes");
        yield return new($"more_max_pool_{suffix}", new MaxPool2d(3, 2, 1, true), [x], "all sizes");
        yield return new($"more_global_{suffix}", new GlobalAveragePool(), [x], "all sizes");
        yield return new($"more_crop_{suffix}", new Crop(0, 0, height, width), [x], "all sizes");
        yield return new($"more_concat_{suffix}", new Concat(), [x, x, x], "all sizes");
        yield return new($"more_resize_{suffix}", new ResizeBilinear(7, 9, Sampling.AlignCorners), [x], "all sizes");
        yield return new($"more_softmax_{suffix}", new Softmax(), [x], "all sizes");
        yield return new($"more_argmax_{suffix}", new Argmax(new(11, 10, Sampling.HalfPixel)), [x], "all sizes");
        yield return new(
            $"more_confidence_{suffix}", new Confidence(new(11, 10, Sampling.HalfPixel)), [x], "all sizes");
    }

    private static Conv2d Depthwise(string name, int channels, int stride, int dilation, Activation activation) => new(
        OpCase.Weight($"{name}.weight", channels, 1, 3, 3), OpCase.Numbers($"{name}.scale", channels, 0.5, 1),
        OpCase.Numbers($"{name}.bias", channels, 1), stride, dilation, Padding.Symmetric(dilation), channels,
            activation);

    private static void Compare(OpCase test, DType storage, Placing placing, float[][] inputs, Array expected)
    {
        StoredTensor[] stored =
            [.. inputs.Select((values, i) => new StoredTensor(storage, test.Inputs[i], placing, values))];
        try
        {
            if (test.Op is Argmax argmax)
                CompareLabels(argmax, test, storage, stored[0], inputs[0], (ushort[])expected);
            else if (test.Op is Confidence confidence)
                CompareConfidence(confidence, test, storage, stored[0], (float[])expected);
            else
                CompareValues(test, storage, placing, stored, (float[])expected);
        }
        finally
        {
            foreach (StoredTensor tensor in stored)
                tensor.Dispose();
        }
    }

    private static void CompareValues(
        OpCase test, DType storage, Placing placing, StoredTensor[] stored, float[] expected)
    {
        Shape shape = test.Op.OutputShape(test.Inputs);
        DType type = test.Op is Softmax or GlobalResponse ? DType.Float32 : storage;
        using var output = new StoredTensor(type, shape, placing);
        Launch(test.Op, storage, [.. stored.Select(tensor => tensor.View)], output.View);
        string what = $"{test} in {storage}, {placing}";
        AssertClose(output.Values(), expected, type, what);
        output.AssertSurroundingsUntouched(what);
        if (test.Op is ResizeBilinear resize && storage != DType.Float32)
        {
            using var logits = new StoredTensor(DType.Float32, shape, placing);
            HostKernels.Run(KernelLaunches.Resize(storage, DType.Float32, resize, stored[0].View, logits.View));
            AssertClose(logits.Values(), expected, DType.Float32, what);
            logits.AssertSurroundingsUntouched(what);
        }
    }

    /// <summary>Runs the launches of an operation.</summary>
    private static void Launch(Op op, DType storage, DeviceTensor[] x, DeviceTensor y)
    {
        switch (op)
        {
            case Conv2d conv:
                float[] weights = KernelLaunches.DepthwiseWeights(conv);
                WithAddresses(weights, conv.Bias, (w, b) =>
                    KernelLaunches.Depthwise(storage, conv, x[0], w, b, x.Length > 1 ? x[1] : default, y));
                break;
            case LayerNorm norm:
                WithAddresses(norm.Scale, norm.Shift, (scale, shift) =>
                    KernelLaunches.LayerNorm(storage, norm, x[0], scale, shift, y));
                break;
            case GlobalResponse response:
                WithAddresses(response.Scale, response.Scale, (scale, _) =>
                    KernelLaunches.GlobalResponse(storage, response, x[0], scale, y).Norms);
                WithAddresses(response.Scale, response.Scale, (scale, _) =>
                    KernelLaunches.GlobalResponse(storage, response, x[0], scale, y).Response);
                break;
            case BatchNorm norm:
                WithAddresses(norm.Scale, norm.Shift, (scale, shift) =>
                    KernelLaunches.Affine(storage, x[0], scale, shift, norm.Activation, y));
                break;
            default:
                HostKernels.Run(Single(op, storage, x, y));
                break;
        }
    }

    private static KernelLaunch Single(Op op, DType storage, DeviceTensor[] x, DeviceTensor y)
    {
        return op switch
        {
            Activate activate => KernelLaunches.Affine(storage, x[0], 0, 0, activate.Activation, y),
            Binary binary => KernelLaunches.Binary(storage, binary, x[0], x[1], y),
            MaxPool2d pool => KernelLaunches.MaxPool(storage, pool, x[0], y),
            AveragePool2d pool => KernelLaunches.AveragePool(storage, pool, x[0], y),
            GlobalAveragePool => KernelLaunches.GlobalAverage(storage, x[0], y),
            ResizeBilinear resize => KernelLaunches.Resize(storage, storage, resize, x[0], y),
            SliceChannels slice => KernelLaunches.Copy(
                storage, storage, Channels(x[0], slice.First, slice.Channels, storage), 0, 0, y),
            Crop crop => KernelLaunches.Copy(storage, storage, x[0], crop.Top, crop.Left, y),
            MirrorPad pad => KernelLaunches.Copy(storage, storage, x[0], -pad.Border, -pad.Border, y),
            Concat => KernelLaunches.Concat(storage, x, y),
            Softmax softmax => KernelLaunches.Softmax(storage, softmax, x[0], y),
            Attention attention => KernelLaunches.Attention(storage, attention, Part(0), Part(1), Part(2), y),
            LinearAttention attention => KernelLaunches.LinearAttention(
                storage, attention.Patch, Channels(x[0], 0, 1, storage), Channels(x[0], 1, y.Channels, storage),
                Channels(x[0], 1 + y.Channels, y.Channels, storage), y),
            _ => throw new ArgumentException($"{op.Name} has no kernel here.", nameof(op)),
        };

        DeviceTensor Part(int part)
        {
            (int input, int channel) = Attention.Locate(part, x.Length, y.Channels);
            return Channels(x[input], channel, y.Channels, storage);
        }
    }

    private static DeviceTensor Channels(DeviceTensor x, int first, int channels, DType storage) => x with
    {
        Data = x.Data + first * storage.SizeInBytes(),
        Channels = channels,
    };

    private static void WithAddresses(float[] first, float[]? second, Func<nint, nint, KernelLaunch> launch)
    {
        using var one = new StoredTensor(DType.Float32, new(1, 1, 1, first.Length), Placing.Packed, first);
        using var two = new StoredTensor(DType.Float32, new(1, 1, 1, second?.Length ?? 1), Placing.Packed, second);
        HostKernels.Run(launch(one.View.Data, second is null ? 0 : two.View.Data));
    }

    private static unsafe void CompareLabels(
        Argmax argmax, OpCase test, DType storage, StoredTensor logits, float[] values, ushort[] expected)
    {
        int notFinite = 0;
        nint flag = (nint)(&notFinite);
        var labels = new ushort[expected.Length];
        var bytes = new byte[expected.Length];
        fixed (ushort* address = labels)
            HostKernels.Run(Launch((nint)address, DType.UInt16));
        fixed (byte* address = bytes)
            HostKernels.Run(Launch((nint)address, DType.UInt8));
        Assert.Equal(labels.Select(label => (byte)label), bytes);
        Assert.Equal(0, notFinite);
        if (argmax.Upsample is null)
        {
            Assert.Equal(expected, labels);
            return;
        }
        // A label may differ only where interpolation left two classes closer than rounding.
        var builder = new GraphBuilder();
        Value resized = builder.Add("resized", argmax.Upsample, builder.Input("logits", test.Inputs[0]));
        var scores = (float[])Running.Reference(builder.Build(resized), values)[0];
        for (int i = 0; i < expected.Length; i++)
        {
            int at = i * resized.Shape.Channels;
            Assert.Equal(scores[at + expected[i]], scores[at + labels[i]], Limit * test.Range);
        }

        KernelLaunch Launch(nint to, DType type) =>
            KernelLaunches.Labels(storage, argmax.Upsample, logits.View, to, type, 0, flag);
    }

    private static unsafe void CompareConfidence(
        Confidence confidence, OpCase test, DType storage, StoredTensor logits, float[] expected)
    {
        int notFinite = 0;
        var actual = new float[expected.Length];
        fixed (float* address = actual)
        {
            HostKernels.Run(KernelLaunches.Labels(
                storage, confidence.Upsample, logits.View, 0, DType.UInt8, (nint)address, (nint)(&notFinite)));
        }
        Assert.Equal(0, notFinite);
        AssertClose(actual, expected, DType.Float32, test.ToString());
    }

    /// <summary>
    /// Within the storage's own rounding of each number and float32's share of their spread. Below the normal numbers
    /// of float16 the rounding is absolute: half of 2^-24.
    /// </summary>
    private static void AssertClose(float[] actual, float[] expected, DType storage, string what)
    {
        Difference difference = Tolerance.Measure(actual, expected);
        double roundoff = storage == DType.Float32 ? 0 : StoredTensor.UnitRoundoff(storage);
        double floor = Limit * difference.Std + (storage == DType.Float16 ? Math.Pow(2, -25) : 0);
        for (int i = 0; i < expected.Length; i++)
        {
            double limit = floor + roundoff * Math.Abs(expected[i]) * (1 + 1e-3);
            Assert.True(Math.Abs((double)actual[i] - expected[i]) <= limit,
                $"{what}: element {i} is {actual[i]:R}, expected {expected[i]:R} within {limit:g3}.");
        }
    }
}
