using System.Diagnostics;
using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Tests.Checkpoints;

/// <summary>The sets of tensors in which a network is looked for: by names alone, and in bounded time.</summary>
public sealed class WeightSetsTests
{
    private const int Enough = 40;

    /// <summary>Ten times what a machine with nothing else to do needs; a loop within a loop takes minutes.</summary>
    private static readonly TimeSpan MaxDuration = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("module.")]
    [InlineData("model.net.")]
    [InlineData("0.")]
    [InlineData("a.b.c.d.")]
    [InlineData("module._orig_mod.")]
    [InlineData("_orig_mod.")]
    public void A_prefix_of_all_names_is_taken_off(string prefix)
    {
        WeightSet set = Sets(Dictionary(Layers(prefix))).Single(set => set.Tensors.Keys.First() == "layer0.weight");
        Assert.Equal(Layers(""), set.Tensors.Keys);
        Assert.Equal(prefix, set.Prefix);
    }

    [Fact]
    public void Segments_of_wrappers_stay_where_two_names_would_be_one()
    {
        string[] names = [.. Layers(""), .. Layers("_orig_mod.")];
        Assert.Equal(names, Sets(Dictionary(names)).First().Tensors.Keys);
    }

    [Fact]
    public void Copies_have_a_set_each_and_statistics_go_with_both()
    {
        WeightSet[] sets =
            [.. Sets(Dictionary([.. Layers("model."), .. Layers("ema_model."), "criterion.weight", "normalize.mean"]))];
        Assert.Equal(["", "model", "ema_model"], sets.Select(set => set.Name));
        Assert.Equal([.. Layers(""), "normalize.mean"], sets[1].Tensors.Keys);
    }

    [Theory]
    [InlineData("a{0}.b{1}.c.d.e.f.g.h.i.j.weight")]
    [InlineData("a.b.c.d.e.f.g.h.x{0}.y{1}")]
    [InlineData("{0}_{1}")]
    [InlineData("ema_{0}_{1}")]
    [InlineData("module.{0}._orig_mod.{1}.module.weight")]
    [InlineData("{0}.{1}.mean")]
    public void A_hundred_thousand_names_are_handled_in_time_that_grows_as_their_number(string pattern)
    {
        TensorDictionary dictionary = Dictionary(
            Enumerable.Range(0, 100_000).Select(i => string.Format(null, pattern, i / 20, i % 20)));
        var clock = Stopwatch.StartNew();
        long tensors = WeightSets.In([dictionary]).SelectMany(sets => sets).Sum(set => (long)set.Tensors.Count);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, MaxDuration);
        Assert.InRange(tensors, 100_000, 2_100_000);
    }

    [Fact]
    public void A_hundred_thousand_dictionaries_are_handled_quickly()
    {
        var root = new TensorDictionary("", null);
        TensorDictionary[] all =
        [
            .. Enumerable.Range(0, 100_000).Select(
                i => new TensorDictionary($"{i}", root) { Tensors = Dictionary(["exp_avg", "exp_avg_sq"]).Tensors }),
        ];
        var clock = Stopwatch.StartNew();
        Assert.NotEmpty(WeightSets.In(all).SelectMany(sets => sets));
        Assert.Equal(199_998, TensorsBeside.Count(all, WeightSet.Whole(all[0])).Values.Sum());
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, MaxDuration);
    }

    private static IEnumerable<string> Layers(string prefix) =>
        Enumerable.Range(0, Enough).Select(i => $"{prefix}layer{i}.weight");

    private static IEnumerable<WeightSet> Sets(TensorDictionary dictionary) => WeightSets.In([dictionary]).First();

    private static TensorDictionary Dictionary(IEnumerable<string> names)
    {
        var dictionary = new TensorDictionary("", null);
        foreach (string name in names)
        {
            dictionary.Tensors.Add(name, StoredTensor.TryCreate(
                new MemoryRegion(new byte[4]), DType.Float32, [1], null, 0, bigEndian: false, out _)!);
        }
        return dictionary;
    }
}
