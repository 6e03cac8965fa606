using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Tensors;

namespace Atrous.Tests.Graph;

/// <summary>Plans, checked by playing the graph on an arena where every cell remembers who wrote it.</summary>
public sealed class MemoryPlanTests
{
    private const int Seeds = 60;

    public static TheoryData<bool> WithAndWithoutPasses => [false, true];

    [Theory]
    [MemberData(nameof(WithAndWithoutPasses))]
    public void No_value_is_overwritten_while_it_is_needed(bool optimized)
    {
        for (int seed = 0; seed < Seeds; seed++)
            Play(Graph(seed, optimized));
    }

    [Theory]
    [MemberData(nameof(WithAndWithoutPasses))]
    public void Offsets_are_aligned_and_inside_the_arena(bool optimized)
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            MemoryPlan plan = MemoryPlan.Of(Graph(seed, optimized));
            foreach ((Value value, long offset) in plan.Offsets)
            {
                Assert.Equal(0, offset % MemoryPlan.Alignment);
                Assert.InRange(offset + Bytes(value), 0, plan.ArenaSize);
            }
        }
    }

    [Theory]
    [MemberData(nameof(WithAndWithoutPasses))]
    public void The_arena_is_little_larger_than_what_is_needed_at_once(bool optimized)
    {
        double sum = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            NetworkGraph graph = Graph(seed, optimized);
            double ratio = (double)MemoryPlan.Of(graph).ArenaSize / Peak(graph);
            Assert.InRange(ratio, 0, 1.5);
            sum += ratio;
        }
        Assert.InRange(sum / Seeds, 0, 1.03);
    }

    [Fact]
    public void A_chain_needs_two_places_and_in_place_one()
    {
        var shape = new Shape(1, 10, 10, 16);
        var builder = new GraphBuilder();
        Value moved = builder.Input("x", shape), pointwise = moved;
        for (int i = 0; i < 6; i++)
        {
            moved = builder.Add("moved", new Crop(0, 0, 10, 10), moved);
            pointwise = builder.Add("pointwise", new Activate(Activation.Relu), pointwise);
        }
        // Outputs are the caller's, so one more node ends each chain.
        NetworkGraph crops = builder.Build(builder.Add("end", new Crop(0, 0, 10, 10), moved));
        NetworkGraph activations = builder.Build(builder.Add("end", new Activate(Activation.Relu), pointwise));
        Assert.Equal(2 * 6400, MemoryPlan.Of(crops).ArenaSize);
        Assert.Equal(6400, MemoryPlan.Of(activations).ArenaSize);
    }

    [Fact]
    public void Inputs_outputs_and_slices_have_no_offset()
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 4, 4, 3));
        Value a = builder.Add("a", new Activate(Activation.Relu), x),
            b = builder.Add("b", new Activate(Activation.Silu), x);
        Value inner = builder.Add("inner", new Concat(), a, b);
        Value end = builder.Add("end", new MaxPool2d(2, 2, 0), inner);
        Value output = builder.Add("output", new Concat(), end, builder.Add("c", new MaxPool2d(2, 2, 0), x));
        MemoryPlan plan = MemoryPlan.Of(ElideConcat.Apply(builder.Build(output)));
        Assert.Equal([inner], plan.Offsets.Keys);
        Assert.Equal(new Placement(output, 0), plan.Locate(end));
        Assert.Equal(new Placement(inner, 3), plan.Locate(b));
    }

    [Fact]
    public void Sizes_beyond_two_gigabytes_are_planned()
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 8192, 8192, 256));
        Value y = builder.Add("y", new MaxPool2d(3, 1, 1), x);
        NetworkGraph graph = builder.Build(builder.Add("z", new GlobalAveragePool(), y));
        Assert.Equal(8192L * 8192 * 256 * 4, MemoryPlan.Of(graph).ArenaSize);
    }

    private static NetworkGraph Graph(int seed, bool optimized) =>
        optimized ? GraphPasses.ApplyAll(RandomGraphs.Make(seed)) : RandomGraphs.Make(seed);

    private static long Bytes(Value value) => value.Shape.Elements * value.Type.SizeInBytes();

    /// <summary>
    /// Runs the graph: each node finds its inputs as they were written, then writes its name over its output.
    /// </summary>
    private static void Play(NetworkGraph graph)
    {
        MemoryPlan plan = MemoryPlan.Of(graph);
        var arena = new Value?[plan.ArenaSize];
        var elsewhere = graph.Outputs.Concat(graph.Inputs).Distinct()
            .ToDictionary(value => value, value => new Value?[Bytes(value)]);
        foreach (Value input in graph.Inputs)
            elsewhere[input].AsSpan().Fill(input);
        foreach (Node node in graph.Nodes)
        {
            foreach (Value input in node.Inputs)
                AssertWhole(input, $"when {node} runs");
            foreach (Value output in node.Outputs)
            {
                foreach (int cell in Cells(output, out Value?[] memory))
                {
                    bool isPlaced = node.Op is Concat && memory[cell] is { } writer && IsInside(writer, output);
                    if (!isPlaced)
                        memory[cell] = output;
                }
            }
            // A node may not write over what it still reads, unless it works element by element on the very same place.
            foreach (Value input in node.Inputs.Where(input => !IsInPlace(node, input)))
                AssertWhole(input, $"while {node} runs");
        }
        foreach (Value output in graph.Outputs)
            AssertWhole(output, "in the end");

        bool IsInPlace(Node node, Value input) =>
            input == MemoryPlan.InPlaceInput(node)
            && plan.Offsets.TryGetValue(input, out long from) && plan.Offsets.TryGetValue(node.Output, out long to)
                && from == to;

        void AssertWhole(Value value, string when)
        {
            foreach (int cell in Cells(value, out Value?[] memory))
                Assert.True(
                    memory[cell] is { } writer && IsInside(writer, value), $"{value} holds {memory[cell]} {when}");
        }

        // The first byte of every element: enough, since all elements are aligned alike.
        List<int> Cells(Value value, out Value?[] memory)
        {
            (Value root, int channel) = plan.Locate(value);
            bool isInArena = plan.Offsets.TryGetValue(root, out long offset);
            memory = isInArena ? arena : elsewhere[root];
            var cells = new List<int>();
            for (int pixel = 0; pixel < value.Shape.Pixels; pixel++)
            {
                for (int c = 0; c < value.Shape.Channels; c++)
                    cells.Add((int)offset + (pixel * root.Shape.Channels + channel + c) * value.Type.SizeInBytes());
            }
            return cells;
        }

        bool IsInside(Value value, Value ancestor) =>
            value == ancestor || graph.Slices.TryGetValue(value, out Slice? slice) && IsInside(slice.Parent, ancestor);
    }

    /// <summary>
    /// The most bytes that any node finds alive: a bound that no plan without in-place work can beat.
    /// </summary>
    private static long Peak(NetworkGraph graph)
    {
        MemoryPlan plan = MemoryPlan.Of(graph);
        var alive = new Dictionary<Value, (int First, int Last)>();
        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            foreach (Value root in graph.Nodes[i].Inputs.Append(graph.Nodes[i].Output)
                .Select(value => plan.Locate(value).Root))
            {
                if (plan.Offsets.ContainsKey(root))
                    alive[root] = (alive.TryGetValue(root, out (int First, int) known) ? known.First : i, i);
            }
        }
        return Enumerable.Range(0, graph.Nodes.Count)
            .Max(i => alive.Where(pair => pair.Value.First <= i && i <= pair.Value.Last)
            .Sum(pair => (Bytes(pair.Key) + MemoryPlan.Alignment - 1) / MemoryPlan.Alignment * MemoryPlan.Alignment));
    }
}
