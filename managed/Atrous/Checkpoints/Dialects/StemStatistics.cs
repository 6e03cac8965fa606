using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// What the statistics of the first batch norm tell of the pictures that a network was trained on. Behind a convolution
/// whose weights have the sum of squares S, the variance is about S times that of its input: near that for normalised
/// pictures, and 255 * 255 = 65025 times as much where bytes were taken for pixels from 0 to 1.
/// </summary>
internal static class StemStatistics
{
    // Trained kernels that look for edges lie a hundred times below S, those that average ten times above.
    private const double Between = 200;

    /// <summary>Whether pictures entered 255 times too large; null where the file does not tell.</summary>
    /// <param name="weights">The file's tensors, of which the stem's are read.</param>
    /// <param name="stem">The key of the first convolution's kernel.</param>
    public static bool? SawBytes(IWeightSource weights, string stem)
    {
        const string variance = "running_var";
        int channels = weights.Outputs(stem);
        string? name = weights.Weights.Keys.SkipWhile(key => key != stem)
            .FirstOrDefault(key => key.EndsWith("." + variance, StringComparison.Ordinal));
        if (name is null || weights.Weights[name].Elements != channels
            || IsFresh(weights, name[..^variance.Length] + "num_batches_tracked"))
            return null;
        float[] kernel = Values(weights, stem), variances = Values(weights, name);
        int size = kernel.Length / channels;
        double[] ratios =
        [
            .. variances.Select((value, i) => value / kernel.Skip(i * size).Take(size).Sum(w => (double)w * w))
                .Where(double.IsFinite).Order(),
        ];
        // All of them 1 are those that a batch norm is made with.
        return ratios.Length == 0 || Array.TrueForAll(variances, value => value == 1)
            ? null
            : ratios[ratios.Length / 2] > Between;
    }

    private static bool IsFresh(IWeightSource weights, string counter) =>
        weights.Weights.TryGetValue(counter, out WeightInfo? info) && info.Elements == 1
        && Values(weights, counter)[0] == 0;

    private static float[] Values(IWeightSource weights, string name)
    {
        var values = new float[weights.Weights[name].Elements];
        weights.Read(name, values);
        return values;
    }
}
