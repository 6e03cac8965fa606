using System.Text.Json;
using Atrous.Backends;
using Atrous.Backends.Reference;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>The reference is what other backends are judged by; it is judged by torch and by hand.</summary>
public sealed class ReferenceTests
{
    private static readonly JsonElement Torch =
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Goldens, "ops.json"))).RootElement;

    public static TheoryData<string> TorchCases => [.. Torch.EnumerateObject().Select(entry => entry.Name)];

    [Theory]
    [MemberData(nameof(TorchCases))]
    public void Agrees_with_torch(string name)
    {
        OpCase test = OpCases.Find(name);
        JsonElement golden = Torch.GetProperty(name);
        NetworkGraph graph = test.Graph();
        int[] shape = [.. golden.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
        Assert.Equal(new Shape(shape[0], shape[1], shape[2], shape[3]), graph.Outputs[0].Shape);

        double[] actual = [.. Running.Reference(graph, test.InputValues())[0].Cast<object>().Select(Convert.ToDouble)];
        double[] expected = [.. golden.GetProperty("values").EnumerateArray().Select(value => value.GetDouble())];
        double size = expected.Max(Math.Abs);
        // Float32 coordinates of a resize are 1e-6 of a pixel off torch's double ones.
        double limit = 2e-6 * Math.Max(size, test.Range);
        int step = golden.GetProperty("step").GetInt32();
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i * step], limit);
        Assert.Equal(golden.GetProperty("sum").GetDouble(), actual.Sum(), limit * Math.Sqrt(actual.Length) * 4);
    }

    [Fact]
    public void A_convolution_by_hand()
    {
        // Two pixels in a row, kernel 1x1 [2, -1]: channels (1, 2) and (3, 5) give 0 and 1; then 10 x - 3, then the
        // residual.
        using var weights = new GivenWeights(2, -1);
        var op = new Conv2d(weights.Of(1, 2, 1, 1), [10f], [-3f], 1, 1, Padding.None, 1, Activation.LeakyRelu(0.5f));
        Assert.Equal([-1f, 12f], Result(op, [new(1, 1, 2, 2), new(1, 1, 2, 1)], [1, 2, 3, 5], [1, 5]));
    }

    [Fact]
    public void An_atrous_convolution_by_hand()
    {
        // Taps two pixels apart with weights 1, 10, 100 on 1 2 3 4 5, zeros outside.
        using var weights = new GivenWeights(0, 0, 0, 1, 10, 100, 0, 0, 0);
        var op = new Conv2d(weights.Of(1, 1, 3, 3), null, null, 1, 2, Padding.Symmetric(2), 1, Activation.None);
        Assert.Equal([310f, 420f, 531f, 42f, 53f], Result(op, [new(1, 1, 5, 1)], [1, 2, 3, 4, 5]));
    }

    [Fact]
    public void Resizes_by_hand()
    {
        float[] x = [0, 4];
        Shape shape = new(1, 1, 2, 1);
        Assert.Equal([0f, 1f, 3f, 4f], Result(new ResizeBilinear(1, 4, Sampling.HalfPixel), [shape], x));
        Assert.Equal([0f, 1f, 2f, 3f, 4f], Result(new ResizeBilinear(1, 5, Sampling.AlignCorners), [shape], x));
        Assert.Equal([0f, 2f, 4f, 4f], Result(new ResizeBilinear(1, 4, Sampling.Asymmetric), [shape], x));
    }

    [Fact]
    public void The_first_of_equal_classes_wins()
    {
        Shape shape = new(1, 1, 2, 3);
        float[] scores = [1, 7, 7, 0, 0, 0];
        Assert.Equal(new ushort[] { 1, 0 }, Results(new Argmax(), [shape], scores));
        Assert.Equal([1 / (2 + MathF.Exp(-6)), 1 / 3f], Result(new Confidence(), [shape], scores));
    }

    [Fact]
    public void The_observer_sees_every_node_in_order()
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 2, 2, 1));
        Value y = builder.Add("y", new Activate(Activation.Relu), x);
        Value z = builder.Add("z", new Binary(BinaryKind.Add, Activation.None), y, x);
        var seen = new List<(string, float)>();
        using var backend = new ReferenceBackend((node, tensor) => seen.Add((node.Output.Name, tensor[0, 1, 1, 0])));
        Running.Run(backend, builder.Build(z), [1, 2, 3, 4]);
        Assert.Equal([("y", 4f), ("z", 8f)], seen);
    }

    [Fact]
    public void An_unknown_operation_is_reported_when_compiling()
    {
        var builder = new GraphBuilder();
        Value y = builder.Add("y", new Unknown(), builder.Input("x", new(1, 1, 1, 1)));
        using var backend = new ReferenceBackend();
        var error = Assert.Throws<UnavailableException>(() => backend.Compile(builder.Build(y)));
        Assert.Contains("Unknown", error.Message);
    }

    [Fact]
    public void Cancellation_stops_between_nodes_and_frees_everything()
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 1, 1, 1));
        for (int i = 0; i < 5; i++)
            x = builder.Add($"x{i}", new Activate(Activation.Relu), x);
        using var stop = new CancellationTokenSource();
        int nodes = 0;
        using var backend = new ReferenceBackend((_, _) =>
        {
            if (++nodes == 2)
                stop.Cancel();
        });
        using IExecutable executable = backend.Compile(builder.Build(x));
        using var input = new Tensor(new(1, 1, 1, 1));
        using var output = new Tensor(new(1, 1, 1, 1));
        Assert.Throws<OperationCanceledException>(() => executable.Run([input], [output], stop.Token));
        Assert.Equal(2, nodes);
    }

    private static float[] Result(Op op, Shape[] shapes, params float[][] inputs) =>
        (float[])Results(op, shapes, inputs);

    private static Array Results(Op op, Shape[] shapes, params float[][] inputs)
    {
        var builder = new GraphBuilder();
        Value[] values = [.. shapes.Select((shape, i) => builder.Input($"x{i}", shape))];
        return Running.Reference(builder.Build(builder.Add("y", op, values)), inputs)[0];
    }

    private sealed record Unknown : Op
    {
        public override Shape OutputShape(IReadOnlyList<Shape> inputs) => inputs[0];
    }
}
