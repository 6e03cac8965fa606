using Atrous.Quantizing;

namespace Atrous.Tests.Quantizing;

/// <summary>Which layers are kept in float32: what is enough, and quick.</summary>
public sealed class KeptLayersTests
{
    /// <summary>Costs add up here, and 1 is what may be left of them.</summary>
    private static Func<IReadOnlyList<int>, bool> Left(double[] costs) =>
        kept => costs.Where((_, i) => !kept.Contains(i)).Sum() <= 1;

    [Fact]
    public void No_more_are_kept_than_the_dearest_that_it_takes()
    {
        double[] costs = [0.1, 4, 0.2, 3, 0.3, 2];
        IReadOnlyList<int> kept = new KeptLayers([1, 1, 1, 1, 1, 1], Left(costs)).Find([costs]);
        Assert.Equal([1, 3, 5], kept.Order());
    }

    /// <summary>Two quick layers that cost together as much as a slow one.</summary>
    [Fact]
    public void Quick_layers_are_kept_rather_than_a_slow_one()
    {
        double[] costs = [1.5, 1, 1, 0.2];
        IReadOnlyList<int> kept = new KeptLayers([1000, 10, 10, 10], Left([0.8, 1, 1, 0.2])).Find([costs]);
        Assert.Equal([1, 2], kept.Order());
    }

    /// <summary>One measure of the cost misses a layer; the other does not.</summary>
    [Fact]
    public void The_measure_that_takes_less_work_decides()
    {
        double[] real = [0.1, 0.1, 0.1, 5];
        IReadOnlyList<int> kept = new KeptLayers([1, 1, 1, 1], Left(real)).Find([[4, 3, 2, 1], real]);
        Assert.Equal([3], kept);
    }

    [Fact]
    public void What_need_not_be_kept_is_left_out()
    {
        // By its cost the slow layer comes first, and only the second one matters.
        IReadOnlyList<int> kept = new KeptLayers([900, 100], kept => kept.Contains(1)).Find([[900, 1]]);
        Assert.Equal([1], kept);
    }

    [Fact]
    public void Where_nothing_is_enough_all_are_kept()
    {
        IReadOnlyList<int> kept = new KeptLayers([1, 2, 3], _ => false).Find([[3, 2, 1]]);
        Assert.Equal([0, 1, 2], kept.Order());
    }
}
