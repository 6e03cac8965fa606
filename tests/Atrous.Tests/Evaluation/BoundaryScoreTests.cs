using Atrous.Evaluation;
using Atrous.Postprocessing;

namespace Atrous.Tests.Evaluation;

/// <summary>Boundary IoU and F1, against the definitions counted pixel by pixel.</summary>
public sealed class BoundaryScoreTests
{
    private const int Classes = 3, Ignored = 255;

    [Theory]
    [InlineData(40, 31)]
    [InlineData(9, 70)]
    [InlineData(160, 120)]
    public void It_counts_what_the_definitions_say(int height, int width)
    {
        var random = new Random(height);
        ushort[] truth = Blobs(random, height, width), mask = Blobs(random, height, width);
        truth.AsSpan(width, width / 2).Fill(Ignored);
        var score = new BoundaryScore(Classes, Ignored);
        score.Add(new LabelImage(truth, height, width), mask, height, width);
        double diagonal = Math.Sqrt(height * height + width * width);
        for (int label = 0; label < Classes; label++)
        {
            Assert.Equal(Iou(truth, mask, height, width, label, Math.Max(1, (int)Math.Round(0.02 * diagonal))),
                score.Iou(label));
            Assert.Equal(F1(truth, mask, height, width, label, Math.Max(1, 0.0075 * diagonal)), score.F1(label), 1e-12);
        }
    }

    [Fact]
    public void Equal_masks_score_one_and_absent_classes_nothing()
    {
        ushort[] labels = [0, 0, 1, 0, 0, 1, 1, 1, 1];
        var score = new BoundaryScore(Classes);
        score.Add(new LabelImage(labels, 3, 3), labels, 3, 3);
        Assert.Equal(1, score.MeanIou);
        Assert.Equal(1, score.MeanF1);
        Assert.Equal(double.NaN, score.Iou(2));
        Assert.Equal(double.NaN, score.F1(2));
    }

    [Fact]
    public void A_line_that_is_moved_costs_boundaries_more_than_regions()
    {
        const int side = 100;
        ushort[] truth = new ushort[side * side], mask = new ushort[side * side];
        for (int i = 0; i < truth.Length; i++)
            (truth[i], mask[i]) = ((ushort)(i % side / 50), (ushort)(i % side / 46));
        Array.ForEach([.. Enumerable.Range(0, mask.Length)], i => mask[i] = Math.Min(mask[i], (ushort)1));
        var score = new BoundaryScore(2);
        score.Add(new LabelImage(truth, side, side), mask, side, side);
        var matrix = new ConfusionMatrix(2);
        matrix.Add(new LabelImage(truth, side, side), mask, side, side);
        Assert.True(score.MeanIou < matrix.MeanIou - 0.1, $"{score.MeanIou} and {matrix.MeanIou}");
        Assert.Equal(0, score.MeanF1);
    }

    private static ushort[] Blobs(Random random, int height, int width)
    {
        var labels = new ushort[height * width];
        for (int blob = 0; blob < 12; blob++)
        {
            (int y, int x, int radius) = (random.Next(height), random.Next(width), random.Next(2, 14));
            for (int i = 0; i < labels.Length; i++)
            {
                if (Math.Abs(i / width - y) <= radius && Math.Abs(i % width - x) <= radius)
                    labels[i] = (ushort)(blob % Classes);
            }
        }
        return labels;
    }

    private static double Iou(ushort[] truth, ushort[] mask, int height, int width, int label, int distance)
    {
        long both = 0, either = 0;
        for (int i = 0; i < truth.Length; i++)
        {
            if (truth[i] == Ignored)
                continue;
            bool one = truth[i] == label && IsNear(truth, i), other = mask[i] == label && IsNear(mask, i);
            both += one && other ? 1 : 0;
            either += one || other ? 1 : 0;
        }
        return both / (double)either;

        bool IsNear(ushort[] labels, int at)
        {
            for (int y = at / width - distance; y <= at / width + distance; y++)
            {
                for (int x = at % width - distance; x <= at % width + distance; x++)
                {
                    if (y < 0 || x < 0 || y >= height || x >= width || labels[y * width + x] != labels[at])
                        return true;
                }
            }
            return false;
        }
    }

    private static double F1(ushort[] truth, ushort[] mask, int height, int width, int label, double tolerance)
    {
        int[] ofTruth = Line(truth), ofMask = Line(mask);
        if (ofTruth.Length + ofMask.Length == 0)
            return double.NaN;
        double precision = Share(ofMask, ofTruth), recall = Share(ofTruth, ofMask);
        return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);

        int[] Line(ushort[] labels) =>
        [
            .. Enumerable.Range(0, labels.Length).Where(i => labels[i] == label && truth[i] != Ignored
                && Beside(i).Any(j => labels[j] != label && truth[j] != Ignored)),
        ];

        IEnumerable<int> Beside(int at)
        {
            (int y, int x) = Math.DivRem(at, width);
            (int, int)[] four = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)];
            return four.Where(p => p.Item1 >= 0 && p.Item2 >= 0 && p.Item1 < height && p.Item2 < width)
                .Select(p => p.Item1 * width + p.Item2);
        }

        double Share(int[] pixels, int[] others) => pixels.Length == 0 || others.Length == 0 ? 0
            : pixels.Count(p => others.Any(q => Distance(p, q) <= tolerance)) / (double)pixels.Length;

        double Distance(int p, int q) =>
            Math.Sqrt(Math.Pow(p / width - q / width, 2) + Math.Pow(p % width - q % width, 2));
    }
}
