using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>
/// An attention of so many products that the CPU computes it in bands of rows, between which a run can be cancelled.
/// </summary>
public sealed class LongAttentionTests
{
    private const int Width = 64, Channels = 64;
    private static readonly Attention Op = new(2, 0.2f);
    private static readonly Shape Queries = new(2, 72, Width, Channels), Keys = new(2, 128, Width, 2 * Channels);

    [Fact]
    public void A_long_attention_is_several_steps_and_a_short_one_is_one()
    {
        // Bands of 64 rows and of 8, of each picture.
        Assert.Equal(4, Steps(Graph(Queries, Keys)));
        Assert.Equal(1, Steps(Graph(Queries with { Height = 2 }, Keys)));
    }

    [Fact]
    public void Bands_have_the_bits_of_their_rows_alone()
    {
        float[] queries = OpCase.Numbers("queries", (int)Queries.Elements, 2);
        float[] keys = OpCase.Numbers("keys", (int)Keys.Elements, 2);
        using var backend = new CpuBackend();
        float[] all = Run(backend, Queries, queries, Keys, keys);
        foreach ((int picture, int row) in new[] { (0, 0), (0, 63), (0, 64), (1, 71) })
        {
            Shape band = new(1, 1, Width, Channels), seen = Keys with { Batch = 1 };
            int first = (picture * Queries.Height + row) * Width * Channels;
            float[] alone = Run(
                backend, band, queries[first..(first + Width * Channels)], seen,
                keys[(int)(picture * seen.Elements)..(int)((picture + 1) * seen.Elements)]);
            Assert.Equal(alone, all[first..(first + Width * Channels)]);
        }
    }

    /// <summary>A layer is measured once, however many steps it is.</summary>
    [Fact]
    public void A_layer_s_time_is_the_sum_of_its_steps()
    {
        NetworkGraph graph = Graph(Queries, Keys);
        using var backend = new CpuBackend();
        using var executable = (CpuExecutable)backend.Compile(graph);
        using Tensor queries = new(Queries), keys = new(Keys), output = new(Queries);
        LayerTime layer = Assert.Single(executable.RunInLayers([queries, keys], [output], default));
        Assert.Equal(Op.MultiplyAdds([Queries, Keys]), layer.MultiplyAdds);
    }

    private static int Steps(NetworkGraph graph)
    {
        // There is no convolution to pack.
        using var convolutions = new PackedConvolutions(null!);
        return Atrous.Backends.Cpu.Steps
            .Of(graph, new Atrous.Backends.Cpu.Layout(graph, MemoryPlan.Of(graph)), convolutions).Length;
    }

    private static float[] Run(CpuBackend backend, Shape queries, float[] q, Shape keys, float[] k) =>
        (float[])Running.Run(backend, Graph(queries, keys), q, k)[0];

    private static NetworkGraph Graph(Shape queries, Shape keys)
    {
        var builder = new GraphBuilder();
        return builder.Build([builder.Add("y", Op, builder.Input("q", queries), builder.Input("kv", keys))]);
    }
}
