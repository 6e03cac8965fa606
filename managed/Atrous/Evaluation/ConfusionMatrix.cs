using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Evaluation;

/// <summary>
/// How many pixels of each true class were labelled as each class, over any number of pictures, and the measures that
/// follow (Long, Shelhamer, Darrell 2015, "Fully Convolutional Networks", section 5; the same as mmsegmentation's
/// IoUMetric).
/// </summary>
public sealed class ConfusionMatrix
{
    private readonly long[] _counts;
    private readonly int? _ignore;

    /// <param name="classes">The number of classes that the model scores, at least 1.</param>
    /// <param name="ignore">A true label that is not scored, a class or not; null for none.</param>
    public ConfusionMatrix(int classes, int? ignore = 255)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        (Classes, _ignore) = (classes, ignore);
        _counts = new long[checked(classes * classes)];
    }

    /// <summary>Classes that the model scores.</summary>
    public int Classes { get; }

    /// <summary>Pixels whose true label was not ignored.</summary>
    public long Pixels { get; private set; }

    /// <summary>Pixels whose true label was ignored.</summary>
    public long Ignored { get; private set; }

    /// <summary>Scored pixels of a true class that were labelled as a class.</summary>
    /// <param name="truth">The number of the class that the pixels are of.</param>
    /// <param name="predicted">The number of the class that they were given.</param>
    public long this[int truth, int predicted] => _counts[Checked(truth) * Classes + Checked(predicted)];

    /// <summary>The share of the pixels that is right; NaN before the first.</summary>
    public double PixelAccuracy => Sum(label => this[label, label]) / (double)Pixels;

    /// <summary>
    /// The mean of <see cref="Accuracy"/> over the classes that occur in the truth; NaN where none does.
    /// </summary>
    public double MeanAccuracy => Mean(Accuracy);

    /// <summary>
    /// The mean of <see cref="Iou"/> over the classes that occur in truth or masks; NaN where none does.
    /// </summary>
    public double MeanIou => Mean(Iou);

    /// <summary>
    /// The mean of <see cref="Iou"/>, each class weighted by its share of the truth; NaN before the first pixel.
    /// </summary>
    public double FrequencyWeightedIou =>
        Pixels == 0
            ? double.NaN
            : Labels.Where(label => TruePixels(label) > 0).Sum(label => Iou(label) * TruePixels(label)) / Pixels;

    private IEnumerable<int> Labels => Enumerable.Range(0, Classes);

    /// <summary>
    /// Adds a mask. One of another size than the truth is scored at the truth's: the nearest pixels count.
    /// </summary>
    /// <param name="truth">The true label of every pixel.</param>
    /// <param name="predicted">What the model made of the picture, row by row.</param>
    /// <param name="height">The number of rows of the mask.</param>
    /// <param name="width">The number of pixels of a row of the mask.</param>
    /// <exception cref="ImageException">
    /// A true label is neither a class nor ignored; nothing of the mask is counted.
    /// </exception>
    /// <exception cref="ArgumentException">There are not height * width labels, or one is no class.</exception>
    public void Add(LabelImage truth, ReadOnlySpan<ushort> predicted, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(truth);
        LabelMap.Check(predicted, height, width);
        CheckTruth(truth);
        foreach (ushort label in predicted)
        {
            if (label >= Classes)
                throw new ArgumentException($"Label {label} is none of {Classes} classes.", nameof(predicted));
        }
        ReadOnlySpan<ushort> mask = NearestLabels.At(predicted, height, width, truth);
        for (int i = 0; i < mask.Length; i++)
        {
            ushort label = truth.Labels[i];
            if (label == _ignore)
                Ignored++;
            else
                _counts[label * Classes + mask[i]]++;
        }
        Pixels = _counts.Sum();
    }

    /// <summary>Adds what was counted elsewhere.</summary>
    /// <param name="counts">Scored pixels by true class and the mask's.</param>
    /// <param name="ignored">Pixels that were not scored.</param>
    internal void Add(IEnumerable<(int Truth, int Mask, long Pixels)> counts, long ignored)
    {
        foreach ((int truth, int mask, long pixels) in counts)
            _counts[Checked(truth) * Classes + Checked(mask)] += pixels;
        Ignored += ignored;
        Pixels = _counts.Sum();
    }

    /// <summary>Scored pixels of a true class.</summary>
    /// <param name="label">The number of the class, counted from 0.</param>
    public long TruePixels(int label) => Sum(predicted => this[label, predicted]);

    /// <summary>Scored pixels that were labelled as a class.</summary>
    /// <param name="label">The number of the class, counted from 0.</param>
    public long PredictedPixels(int label) => Sum(truth => this[truth, label]);

    /// <summary>The share of a true class's pixels that is right (recall); NaN where the truth has none.</summary>
    /// <param name="label">The number of the class, counted from 0.</param>
    public double Accuracy(int label) => this[label, label] / (double)TruePixels(label);

    /// <summary>
    /// Intersection over union: of the pixels that are of a class in the truth or in the masks, the share that is in
    /// both; NaN where there are none.
    /// </summary>
    /// <param name="label">The number of the class, counted from 0.</param>
    public double Iou(int label) =>
        this[label, label] / (double)(TruePixels(label) + PredictedPixels(label) - this[label, label]);

    private void CheckTruth(LabelImage truth)
    {
        for (int i = 0; i < truth.Labels.Length; i++)
        {
            int label = truth.Labels[i];
            if (label >= Classes && label != _ignore)
            {
                string ignored = _ignore is { } value ? $"{value} is left out" : "nothing is left out";
                throw new ImageException(
                    $"The label {label} (row {i / truth.Width}, column {i % truth.Width}) is none of the model's " +
                    $"{Classes} classes, " +
                    $"and {ignored}; use the data set's label map for this model, or name the label to leave out.");
            }
        }
    }

    private int Checked(int label)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(label);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(label, Classes);
        return label;
    }

    private long Sum(Func<int, long> pixels) => Labels.Sum(pixels);

    private double Mean(Func<int, double> measure) =>
        Labels.Select(measure).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
}
