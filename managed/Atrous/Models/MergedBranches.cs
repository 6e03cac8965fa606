using System.Globalization;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>
/// A sum of convolutions of one input, as one convolution (Ding et al. 2021, arXiv:2101.03697, section 3.3). Layers:
/// .branch{0..}, .scale, .skip.
/// </summary>
internal static class MergedBranches
{
    /// <summary>The kernel, whose values are computed when they are read, and the bias.</summary>
    public static (Weight Kernel, float[] Bias) Of(
        IWeightBinder weights, string layer, int inputChannels, int groups, int kernel, BranchSpec branches,
        double epsilon)
    {
        var windows = new List<(Weight Kernel, float[] Scale)>();
        var shifts = new List<float[]>();
        for (int i = 0; i < branches.Count; i++)
            windows.Add(Branch(string.Create(CultureInfo.InvariantCulture, $"{layer}.branch{i}"), kernel));
        int outputs = windows[0].Kernel.Shape[0];
        (Weight Kernel, float[] Scale)? centre = branches.Scale ? Branch($"{layer}.scale", 1) : null;
        float[]? identity = null;
        if (branches.Skip)
        {
            (identity, float[] shift) = weights.Norm($"{layer}.skip", inputChannels, epsilon);
            shifts.Add(shift);
        }
        var bias = new float[outputs];
        for (int c = 0; c < outputs; c++)
            bias[c] = (float)shifts.Sum(shift => (double)shift[c]);
        int width = inputChannels / groups;
        Weight merged = ConstantWeight.Of(
            layer, [outputs, width, kernel, kernel], () => Sum(windows, centre, identity, outputs, width, kernel));
        return (merged, bias);

        (Weight, float[]) Branch(string name, int size)
        {
            Weight weight = weights.Kernel(name, inputChannels, groups, size, size);
            (float[] scale, float[] shift) = weights.Norm(name, weight.Shape[0], epsilon);
            shifts.Add(shift);
            return (weight, scale);
        }
    }

    private static float[] Sum(
        List<(Weight Kernel, float[] Scale)> windows, (Weight Kernel, float[] Scale)? centre, float[]? identity,
        int outputs, int width, int kernel)
    {
        int area = kernel * kernel, middle = area / 2;
        var sums = new double[outputs * width * area];
        foreach ((Weight weight, float[] scale) in windows)
        {
            float[] values = weight.ToArray();
            for (int i = 0; i < sums.Length; i++)
                sums[i] += (double)values[i] * scale[i / (width * area)];
        }
        if (centre is { } point)
        {
            float[] values = point.Kernel.ToArray();
            for (int i = 0; i < values.Length; i++)
                sums[i * area + middle] += (double)values[i] * point.Scale[i / width];
        }
        // Output c is input c, which is number c % width of its group.
        for (int c = 0; c < identity?.Length; c++)
            sums[(c * width + c % width) * area + middle] += identity[c];
        return Array.ConvertAll(sums, sum => (float)sum);
    }
}
