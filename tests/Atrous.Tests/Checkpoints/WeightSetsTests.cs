using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Storages;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints;

/// <summary>The sets of tensors in which a network is looked for: by names alone, and in bounded time.</summary>
public sealed class WeightSetsTests
{
    private const int Enough = 40;

    /// <summary>A loop within a loop over all names allocates more, or never ends.</summary>
    private const long MostBytesAName = 4 << 10;

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
    public void A_hundred_thousand_names_are_handled_by_work_that_grows_as_their_number(string pattern)
    {
        TensorDictionary dictionary = Dictionary(
            Enumerable.Range(0, 100_000).Select(i => string.Format(null, pattern, i / 20, i % 20)));
        long tensors = Bounded(() =>
            WeightSets.In([dictionary]).SelectMany(sets => sets).Sum(set => (long)set.Tensors.Count));
        Assert.InRange(tensors, 100_000, 2_100_000);
    }

    [Fact]
    public void A_hundred_thousand_dictionaries_are_handled_by_work_that_grows_as_their_number()
    {
        var root = new TensorDictionary("", null);
        TensorDictionary[] all =
        [
            .. Enumerable.Range(0, 100_000).Select(
                i => new TensorDictionary($"{i}", root) { Tensors = Dictionary(["exp_avg", "exp_avg_sq"]).Tensors }),
        ];
        Assert.True(Bounded(() => WeightSets.In(all).SelectMany(sets => sets).Any()));
        Assert.Equal(199_998, Bounded(() => TensorsBeside.Count(all, WeightSet.Whole(all[0])).Values.Sum()));
    }

    private static T Bounded<T>(Func<T> action) => BoundedWork.Run(action, 100_000 * MostBytesAName);

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
