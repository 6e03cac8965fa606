using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Backends.Reference;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>
/// Every operation case that has 8 bits, in 8 bits: not one bit may differ between instruction sets, numbers of threads
/// and the reference.
/// </summary>
public sealed class ByteOpTests
{
    private static readonly (string Name, Func<CpuBackend> Create)[] Backends =
    [
        ("one thread", () => new CpuBackend(1, Precision.Int8)),
        ("three threads", () => new CpuBackend(3, Precision.Int8)),
        .. new[] { "baseline", "avx2", "avxvnni", "avx512", "avx512vnni", "avx512bf16" }.Select(set => (set, Of(set))),
    ];

    public static TheoryData<string, string> Cases =>
    [
        .. OpCases.All.Where(test => HasBytes(test.Op))
            .SelectMany(_ => Backends, (test, backend) => (backend.Name, test.Name)),
    ];

    [Fact]
    public void Most_kinds_of_operations_are_tried() => Assert.Equal(
        12, OpCases.All.Where(test => HasBytes(test.Op)).Select(test => test.Op.GetType()).Distinct().Count());

    [Theory]
    [MemberData(nameof(Cases))]
    public void Has_the_bits_of_the_reference(string backend, string name)
    {
        OpCase test = OpCases.Find(name);
        NetworkGraph graph = InBytes(test);
        using CpuBackend cpu = Create(backend);
        using var reference = new ReferenceBackend { InBytes = true };
        var expected = (float[])Running.Run(reference, graph, test.InputValues())[0];
        Assert.Equal(expected, (float[])Running.Run(cpu, graph, test.InputValues())[0]);
        // And they are near what they stand for.
        var exact = (float[])Running.Reference(graph, test.InputValues())[0];
        double range = exact.Max() - exact.Min();
        double error = expected.Zip(exact, (a, b) => Math.Abs(a - b)).Average();
        double step = graph.Quantization!.Values.Values.Max(quantization => quantization.Step);
        Assert.True(error <= Math.Max(0.02 * range, step / 2), $"{test}: {error} of {range}");
        // Of bytes, or the test would say nothing.
        Assert.Contains(
            GraphPasses.Apply(graph, [.. GraphPasses.FusionsOfLayers, .. GraphPasses.StorageInBytes]).Nodes,
            node => node.Op.GetType() == test.Op.GetType() && node.Inputs[0].Type == DType.UInt8
                && node.Output.Name == "y" && node.Output.Type == DType.UInt8);
    }

    private static Func<CpuBackend> Of(string set) =>
        () => AllBackends.Under("ATROUS_ISA", set, () => new CpuBackend(2, Precision.Int8));

    private static CpuBackend Create(string name)
    {
        try
        {
            return Backends.Single(row => row.Name == name).Create();
        }
        catch (UnavailableException unavailable)
        {
            Assert.Skip(unavailable.Message);
            throw;
        }
    }

    /// <summary>What ends with a curved function computes that in float32, whose bits may differ.</summary>
    private static bool HasBytes(Op op) =>
        op.InBytes != ByteUse.None && op is not IActivated { Activation.IsLimit: false };

    /// <summary>
    /// The case between convolutions that change nothing: the first one makes bytes, the next reads them, and the last,
    /// which makes the scores, is float32. Pools of one pixel keep them from being fused.
    /// </summary>
    private static NetworkGraph InBytes(OpCase test)
    {
        var builder = new GraphBuilder();
        var values = new Dictionary<string, Quantization>();
        var inputs = new List<Value>();
        float[][] numbers = test.InputValues();
        double low = numbers.Min(some => some.Min()), high = numbers.Max(some => some.Max());
        foreach (Shape shape in test.Inputs)
        {
            Value x = builder.Input($"x{inputs.Count}", shape);
            string name = $"in{inputs.Count}";
            Value made = builder.Add(name, Same(shape.Channels), x);
            inputs.Add(builder.Add($"{name}.pool", new MaxPool2d(1, 1, 0), made));
            int own = inputs.Count - 1;
            // Joined inputs have one range; others have their own.
            values[name] = test.Op.InBytes == ByteUse.HandsOn
                ? Quantization.Of(low, high)
                : Quantization.Of(numbers[own].Min(), numbers[own].Max());
        }
        Value y = builder.Add("y", test.Op, [.. inputs]);
        Value after = builder.Add("after", new MaxPool2d(1, 1, 0), y);
        // Bytes are made where a convolution of bytes reads them.
        Conv2d same = Same(y.Shape.Channels);
        Value read = builder.Add("read", same, after);
        NetworkGraph plain = builder.Build(builder.Add("scores", Same(y.Shape.Channels), read));
        var made0 = (float[])Running.Reference(plain, numbers)[0];
        if (test.Op.InBytes != ByteUse.HandsOn)
            values["y"] = Quantization.Of(made0.Min(), made0.Max());
        return plain with
        {
            Quantization = new QuantizationTable(
                values, new HashSet<string> { same.Kernel.Name, (test.Op as Conv2d ?? same).Kernel.Name }),
        };
    }

    private static Conv2d Same(int channels)
    {
        var weights = new float[channels * channels];
        for (int c = 0; c < channels; c++)
            weights[c * channels + c] = 1;
        Weight kernel = new GivenWeights(weights).Of(channels, channels, 1, 1);
        return new Conv2d(kernel, null, null, 1, 1, Padding.None, 1, Activation.None);
    }
}
