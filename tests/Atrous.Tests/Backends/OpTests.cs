using Atrous.Backends;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Tensors;
using Atrous.Tests.Graph;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>Every operation case on every backend, against the reference.</summary>
public sealed class OpTests
{
    /// <summary>
    /// Float32 sums of a few thousand products, in whatever order, stay within this many standard deviations.
    /// </summary>
    private const double Limit = 1e-5;

    public static TheoryData<string, string> Cases => AllBackends.With(OpCases.All.Select(test => test.Name));

    public static TheoryData<string> Backends => [.. AllBackends.Names];

    [Fact]
    public void Case_names_are_unique() =>
        Assert.Equal(OpCases.All.Count, OpCases.All.Select(test => test.Name).Distinct().Count());

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees_with_the_reference(string backend, string name) =>
        Compare(backend, OpCases.Find(name), OpCases.Find(name).Graph());

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees_with_the_reference_between_slices(string backend, string name) =>
        Compare(backend, OpCases.Find(name), ElideConcat.Apply(OpCases.Find(name).SlicedGraph()));

    [Theory]
    [MemberData(nameof(Backends))]
    public void Random_networks_agree_with_the_reference(string name)
    {
        using IBackend backend = AllBackends.Create(name);
        for (int seed = 0; seed < 40; seed++)
        {
            NetworkGraph graph = RandomGraphs.Make(seed);
            float[] input = RandomGraphs.Input(graph, seed);
            Array[] expected = Running.Reference(graph, input), actual = Running.Run(backend, graph, input);
            for (int i = 0; i < expected.Length - 1; i++)
            {
                // The confidence comes before the labels; it is a number up to 1, however little it varies.
                double? std = i == expected.Length - 2 ? 1 : null;
                Tolerance.AssertWithin(10 * Limit, (float[])actual[i], (float[])expected[i],
                    $"{name}, seed {seed}: {graph.Outputs[i]}", std);
            }
            // The last output is labels, of which one in a hundred may be a close call.
            int wrong = ((ushort[])actual[^1]).Zip((ushort[])expected[^1], (a, b) => a == b ? 0 : 1).Sum();
            Assert.InRange(wrong, 0, actual[^1].Length / 100);
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Threads_get_the_same_bits(string name)
    {
        OpCase test = OpCases.Find("conv_3x3_atrous6");
        NetworkGraph graph = test.Graph();
        using IBackend backend = AllBackends.Create(name);
        using IExecutable executable = backend.Compile(graph);
        var expected = (float[])Running.Run(executable, graph, test.InputValues())[0];
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
            Assert.Equal(expected, (float[])Running.Run(executable, graph, test.InputValues())[0]));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Misfitting_tensors_are_refused(string name)
    {
        using IBackend backend = AllBackends.Create(name);
        using IExecutable executable = backend.Compile(OpCases.Find("crop_all").Graph());
        using var right = new Tensor(new(1, 4, 5, 9));
        using var small = new Tensor(new(1, 4, 4, 9));
        using var labels = new Tensor(new(1, 4, 5, 9), DType.UInt16);
        Assert.Throws<ArgumentException>(() => executable.Run([small], [right]));
        Assert.Throws<ArgumentException>(() => executable.Run([right], [small]));
        Assert.Throws<ArgumentException>(() => executable.Run([right], [labels]));
        Assert.Throws<ArgumentException>(() => executable.Run([right], []));
        Assert.Throws<ArgumentException>(() => executable.Run([right, right], [right]));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void An_input_can_be_an_output_and_an_output_be_asked_for_twice(string name)
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 1, 3, 1));
        Value y = builder.Add("y", new Activate(Activation.Relu), x);
        using IBackend backend = AllBackends.Create(name);
        Array[] results = Running.Run(backend, builder.Build(y, x, y), [-1, 2, -3]);
        Assert.Equal([0f, 2f, 0f], (float[])results[0]);
        Assert.Equal([-1f, 2f, -3f], (float[])results[1]);
        Assert.Equal([0f, 2f, 0f], (float[])results[2]);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_cancelled_run_stops(string name)
    {
        OpCase test = OpCases.Find("crop_all");
        using IBackend backend = AllBackends.Create(name);
        using IExecutable executable = backend.Compile(test.Graph());
        using var input = new Tensor(test.Inputs[0]);
        using var output = new Tensor(test.Inputs[0]);
        Assert.Throws<OperationCanceledException>(() => executable.Run([input], [output], new CancellationToken(true)));
    }

    private static void Compare(string backendName, OpCase test, NetworkGraph graph)
    {
        float[][] inputs = test.InputValues();
        Array[] expected = Running.Reference(graph, inputs);
        using IBackend backend = AllBackends.Create(backendName);
        Array[] actual = Running.Run(backend, graph, inputs);
        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i] is float[] values)
                Tolerance.AssertWithin(Limit, (float[])actual[i], values, $"{backendName} {test} {graph.Outputs[i]}");
            else
                AssertSameLabels((LabelOp)test.Op, test, inputs[0], (ushort[])actual[i], (ushort[])expected[i]);
        }
    }

    /// <summary>
    /// A label may differ only where interpolation left two classes closer than rounding; never without it.
    /// </summary>
    private static void AssertSameLabels(
        LabelOp labelling, OpCase test, float[] logits, ushort[] actual, ushort[] expected)
    {
        if (labelling.Upsample is null)
        {
            Assert.Equal(expected, actual);
            return;
        }
        var builder = new GraphBuilder();
        Value resized = builder.Add("resized", labelling.Upsample, builder.Input("logits", test.Inputs[0]));
        var scores = (float[])Running.Reference(builder.Build(resized), logits)[0];
        int classes = resized.Shape.Channels;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.InRange(actual[i], 0, classes - 1);
            Assert.Equal(scores[i * classes + expected[i]], scores[i * classes + actual[i]], Limit * test.Range);
        }
    }
}
