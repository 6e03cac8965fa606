using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// The mean and standard deviation that a training module keeps beside its network, as the Lightning notebooks of
/// segmentation_models.pytorch do: (pixels - mean) / std. Those feed bytes from 0 to 255 to statistics of 0 to 1, and
/// the weights are used to it.
/// </summary>
/// <param name="Mean">The tensor's name and one value per channel; null where there is none.</param>
/// <param name="Std">The same of the standard deviation.</param>
internal sealed record StatisticsBuffers(StatisticsBuffers.Values? Mean, StatisticsBuffers.Values? Std)
{
    private const string Unit = "0..1", Bytes = "0..255";

    private static readonly string[] Means = ["mean", "pixel_mean", "image_mean"];
    private static readonly string[] Stds = ["std", "pixel_std", "image_std"];

    /// <summary>A tensor of statistics.</summary>
    public sealed record Values(string Name, float[] PerChannel);

    /// <summary>The names of those that are there.</summary>
    public IEnumerable<string> Names => new[] { Mean, Std }.OfType<Values>().Select(values => values.Name);

    /// <summary>Both are there, so that pictures are normalised with them.</summary>
    public bool IsComplete => Mean is not null && Std is not null;

    /// <summary>
    /// How pictures are normalised: with these, where there are both. The switch `pixels` says what the pixels are at
    /// that moment. The first batch norm's statistics tell it, once it was trained. Where they do not: bytes, as in the
    /// notebooks; from 0 to 1 for networks of other libraries, where there are no such tensors, or where a module of
    /// its own has them, which people put in front of a network for pictures from 0 to 1.
    /// </summary>
    /// <param name="usual">What pictures are normalised with otherwise.</param>
    /// <param name="checkpoint">The file whose stem is looked at.</param>
    /// <param name="stem">The key of the network's first kernel.</param>
    /// <param name="choice">What the user overrides.</param>
    /// <param name="ofNotebooks">Whether the network is of the library that those notebooks are about.</param>
    /// <returns>It, and what a user should know of it.</returns>
    public (PreprocessingSpec Spec, IReadOnlyList<string> Notes) Apply(
        PreprocessingSpec usual, ICheckpoint checkpoint, string stem, DialectChoice choice, bool ofNotebooks)
    {
        PreprocessingSpec spec =
            IsComplete ? usual with { Mean = Mean!.PerChannel, Std = Std!.PerChannel } : usual;
        bool? sawBytes = StemStatistics.SawBytes(checkpoint, stem);
        // Means above 1 are those of bytes.
        bool bytes = spec.Mean.Max() > 1
            || (sawBytes ?? (ofNotebooks && IsComplete && !IsApart(checkpoint.StrippedPrefix)));
        string pixels = choice.OneOf(
            "pixels", bytes ? Bytes : Unit, [Unit, Bytes],
            "what pixels are when the mean is subtracted: SMP's Lightning notebooks keep mean and std and feed bytes");
        return (spec with { Scale = pixels == Bytes ? 1 : 1f / 255 }, [.. Notes(sawBytes ?? false)]);
    }

    private IEnumerable<string> Notes(bool sawBytes)
    {
        string[] names = [.. Names];
        if (names.Length == 2)
            yield return $"Pictures are normalised with the file's own {names[0]} and {names[1]}.";
        if (names is [string alone])
        {
            yield return $"The file keeps '{alone}' beside the network, and not both of mean and std: it is not " +
                "used, and pictures are normalised as they are without it.";
        }
        if (names.Length < 2 && sawBytes)
        {
            yield return "The first batch norm's statistics are those of bytes from 0 to 255; if the network was " +
                "trained without mean and std, give it a mean of 0 and a std of 1.";
        }
    }

    private bool IsApart(string networkPrefix) =>
        Mean is { Name: var name } && name.LastIndexOf('.') is > 0 and int dot
        && !networkPrefix.StartsWith(name[..(dot + 1)], StringComparison.Ordinal);

    /// <summary>Looks for them among the tensors.</summary>
    /// <exception cref="ModelException">There are some that no picture can be normalised with.</exception>
    public static StatisticsBuffers Of(ICheckpoint checkpoint, int channels) =>
        new(Find(checkpoint, channels, Means, float.IsFinite), Find(checkpoint, channels, Stds, IsScale));

    /// <summary>
    /// Looks for both in one module, a number for each channel; nothing where there are none that pictures can be
    /// normalised with: other modules have such names too.
    /// </summary>
    public static StatisticsBuffers OfOneModule(ICheckpoint checkpoint, int channels)
    {
        foreach (WeightInfo mean in Named(checkpoint, Means, channels))
        {
            string parent = mean.Name[..(mean.Name.LastIndexOf('.') + 1)];
            WeightInfo? std = Named(checkpoint, Stds, channels)
                .FirstOrDefault(one => one.Name[..(one.Name.LastIndexOf('.') + 1)] == parent);
            if (std is null)
                continue;
            float[] means = Read(checkpoint, mean), stds = Read(checkpoint, std);
            if (Array.TrueForAll(means, float.IsFinite) && Array.TrueForAll(stds, IsScale))
                return new(new Values(mean.Name, means), new Values(std.Name, stds));
        }
        return new(null, null);
    }

    private static IEnumerable<WeightInfo> Named(ICheckpoint checkpoint, string[] names, params int[] counts) =>
        checkpoint.Weights.Values.Where(weight => weight.Type.IsFloatingPoint()
            && Array.Exists(counts, count => weight.Elements == count)
            && names.Contains(weight.Name[(weight.Name.LastIndexOf('.') + 1)..].Trim('_')));

    private static float[] Read(ICheckpoint checkpoint, WeightInfo tensor)
    {
        var values = new float[tensor.Elements];
        checkpoint.Read(tensor.Name, values);
        return values;
    }

    private static bool IsScale(float std) => std > 0 && float.IsFinite(std);

    private static Values? Find(ICheckpoint checkpoint, int channels, string[] names, Predicate<float> suits)
    {
        WeightInfo? found = Named(checkpoint, names, channels, 1).FirstOrDefault();
        if (found is null)
            return null;
        float[] values = Read(checkpoint, found);
        if (!Array.TrueForAll(values, suits))
        {
            throw new ModelException(
                $"'{checkpoint.Path}' keeps '{found.Name}' for normalising pictures, with values that none can be " +
                $"normalised with ({string.Join(", ", values)}); save the network's own weights without it.");
        }
        return new Values(found.Name, values.Length == channels ? values : [.. Enumerable.Repeat(values[0], channels)]);
    }
}
