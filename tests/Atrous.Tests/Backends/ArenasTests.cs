using Atrous.Backends.Cpu;
using Atrous.Imaging;
using Atrous.Tensors;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Backends;

/// <summary>The memory that runs on the CPU share.</summary>
public sealed class ArenasTests(GeneratedModel model)
{
    [Fact]
    public void One_is_enough_for_runs_one_after_the_other()
    {
        var arenas = new Arenas();
        arenas.Register(1000);
        arenas.Register(2000);
        NativeBuffer first = arenas.Take(1000);
        Assert.Equal(2000, first.SizeInBytes);
        arenas.Return(first);
        Assert.Same(first, arenas.Take(2000));
        arenas.Return(first);
        arenas.Unregister(2000);
        Assert.True(first.IsClosed);
    }

    [Fact]
    public void Runs_at_one_time_have_one_each()
    {
        var arenas = new Arenas();
        arenas.Register(1000);
        NativeBuffer first = arenas.Take(1000), second = arenas.Take(1000);
        Assert.NotSame(first, second);
        arenas.Return(first);
        arenas.Return(second);
        arenas.Unregister(1000);
    }

    [Fact]
    public void A_larger_graph_takes_the_place_of_a_smaller_arena()
    {
        var arenas = new Arenas();
        arenas.Register(1000);
        NativeBuffer small = arenas.Take(1000);
        arenas.Return(small);
        arenas.Register(2000);
        NativeBuffer large = arenas.Take(2000);
        Assert.True(small.IsClosed);
        arenas.Return(large);
        arenas.Unregister(2000);
    }

    [Fact]
    public void The_largest_goes_with_its_graph()
    {
        var arenas = new Arenas();
        arenas.Register(1000);
        arenas.Register(2000);
        NativeBuffer idle = arenas.Take(2000), taken = arenas.Take(2000);
        arenas.Return(idle);
        arenas.Unregister(2000);
        Assert.True(idle.IsClosed);
        arenas.Return(taken);
        Assert.True(taken.IsClosed);
        NativeBuffer next = arenas.Take(1000);
        Assert.Equal(1000, next.SizeInBytes);
        arenas.Return(next);
        Assert.False(next.IsClosed);
        arenas.Unregister(1000);
    }

    [Fact]
    public void A_run_that_outlives_all_graphs_frees_its_own()
    {
        var arenas = new Arenas();
        arenas.Register(1000);
        NativeBuffer taken = arenas.Take(1000);
        arenas.Unregister(1000);
        arenas.Return(taken);
        Assert.True(taken.IsClosed);
    }

    [Fact]
    public void Shapes_and_models_share_one()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path, new SegmenterOptions { Threads = 1 });
        using Segmenter other = Segmenter.Load(model.Path, new SegmenterOptions { Threads = 1 });
        using Image small = SlidingWindowTests.Photo(40, 30), large = SlidingWindowTests.Photo(90, 70);
        segmenter.Segment(large);
        long buffers = NativeBuffer.LiveCount;
        segmenter.Segment(small);
        other.Segment(small);
        other.Segment(large);
        Assert.Equal(buffers, NativeBuffer.LiveCount);
    }
}
