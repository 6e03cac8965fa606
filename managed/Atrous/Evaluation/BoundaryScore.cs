using Atrous.Postprocessing;

namespace Atrous.Evaluation;

/// <summary>
/// How well the boundaries of masks follow those of the truth, which the IoU of large regions hardly shows: boundary
/// IoU (Cheng et al. 2021, "Boundary IoU") and boundary F1 (Csurka et al. 2013, "What is a good evaluation measure for
/// semantic segmentation?"). Both are told of each class, over any number of pictures.
/// </summary>
public sealed class BoundaryScore
{
    /// <summary>The parts of a picture's diagonal that the two measures call near.</summary>
    private const double BandOfDiagonal = 0.02, ToleranceOfDiagonal = 0.0075;

    private readonly int? _ignore;
    private readonly long[] _both, _either;
    private readonly double[] _f1;
    private readonly int[] _pictures;

    /// <param name="classes">The number of classes that the model scores, at least 1.</param>
    /// <param name="ignore">A true label that is not scored, a class or not; null for none.</param>
    public BoundaryScore(int classes, int? ignore = 255)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        (Classes, _ignore) = (classes, ignore);
        (_both, _either) = (new long[classes], new long[classes]);
        (_f1, _pictures) = (new double[classes], new int[classes]);
    }

    /// <summary>Classes that the model scores.</summary>
    public int Classes { get; }

    /// <summary>The mean of <see cref="Iou"/> over the classes that occur; NaN where none does.</summary>
    public double MeanIou => Mean(Iou);

    /// <summary>The mean of <see cref="F1"/> over the classes that have boundaries; NaN where none has.</summary>
    public double MeanF1 => Mean(F1);

    /// <summary>
    /// Intersection over union of the pixels that are of a class and no farther from its boundary than 2 % of the
    /// picture's diagonal, counted along rows and columns; the picture's edge is a boundary. Summed over all pictures;
    /// NaN where there are none.
    /// </summary>
    /// <param name="label">The class, from 0.</param>
    public double Iou(int label) => _both[label] / (double)_either[label];

    /// <summary>
    /// The harmonic mean of two shares: of the mask's boundary pixels those that lie within 0.75 % of the diagonal of
    /// one of the truth, and the reverse. A pixel is on a boundary where one beside it is of another class. The mean
    /// over the pictures in which truth or mask has a boundary of the class; NaN where there is none.
    /// </summary>
    /// <param name="label">The class, from 0.</param>
    public double F1(int label) => _f1[label] / _pictures[label];

    /// <summary>
    /// Adds a mask. One of another size than the truth is scored at the truth's: the nearest pixels count.
    /// </summary>
    /// <param name="truth">The true label of every pixel.</param>
    /// <param name="predicted">What the model made of the picture, row by row.</param>
    /// <param name="height">The number of rows of the mask.</param>
    /// <param name="width">The number of pixels of a row of the mask.</param>
    /// <exception cref="ArgumentException">There are not height * width labels.</exception>
    public void Add(LabelImage truth, ReadOnlySpan<ushort> predicted, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(truth);
        LabelMap.Check(predicted, height, width);
        ReadOnlySpan<ushort> mask = NearestLabels.At(predicted, height, width, truth);
        double diagonal = Math.Sqrt((double)truth.Height * truth.Height + (double)truth.Width * truth.Width);
        AddBands(truth, mask, Math.Max(1, (int)Math.Round(BandOfDiagonal * diagonal)));
        AddLines(truth, mask, Math.Max(1, ToleranceOfDiagonal * diagonal));
    }

    private void AddBands(LabelImage truth, ReadOnlySpan<ushort> mask, int distance)
    {
        bool[] inTruth = BoundaryPixels.Band(truth.Labels, truth.Height, truth.Width, distance);
        bool[] inMask = BoundaryPixels.Band(mask, truth.Height, truth.Width, distance);
        for (int i = 0; i < inTruth.Length; i++)
        {
            int label = truth.Labels[i];
            if (label == _ignore)
                continue;
            bool both = inTruth[i] && inMask[i] && label == mask[i];
            if (both)
                _both[label]++;
            if (inTruth[i] && label < Classes)
                _either[label]++;
            if (inMask[i] && mask[i] < Classes && !both)
                _either[mask[i]]++;
        }
    }

    private void AddLines(LabelImage truth, ReadOnlySpan<ushort> mask, double tolerance)
    {
        (int height, int width) = (truth.Height, truth.Width);
        // Where nothing is known of a pixel, nothing is known of the boundary to it either.
        List<int>[] ofTruth = BoundaryPixels.Lines(truth.Labels, truth.Labels, height, width, Classes, _ignore);
        List<int>[] ofMask = BoundaryPixels.Lines(mask, truth.Labels, height, width, Classes, _ignore);
        for (int label = 0; label < Classes; label++)
        {
            if (ofTruth[label].Count == 0 && ofMask[label].Count == 0)
                continue;
            double precision = Near(ofMask[label], ofTruth[label]), recall = Near(ofTruth[label], ofMask[label]);
            _f1[label] += precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
            _pictures[label]++;
        }

        double Near(List<int> pixels, List<int> others)
        {
            if (pixels.Count == 0 || others.Count == 0)
                return 0;
            bool[] near = BoundaryPixels.Within(others, height, width, tolerance);
            return pixels.Count(pixel => near[pixel]) / (double)pixels.Count;
        }
    }

    private double Mean(Func<int, double> measure) =>
        Enumerable.Range(0, Classes).Select(measure).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
}
