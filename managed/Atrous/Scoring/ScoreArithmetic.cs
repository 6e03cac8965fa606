using Atrous.Postprocessing;
using Atrous.Tensors;

namespace Atrous.Scoring;

/// <summary>Sums and winners of scores, which lie class by class within a pixel.</summary>
internal static class ScoreArithmetic
{
    /// <summary>The threshold that takes the more probable of two classes.</summary>
    public const double Half = 0.5;

    /// <summary>Sets all scores to 0.</summary>
    public static void Clear(Tensor scores)
    {
        for (int row = 0; row < scores.Shape.Batch * scores.Shape.Height; row++)
            scores.Row(row / scores.Shape.Height, row % scores.Shape.Height).Clear();
    }

    /// <summary>Adds pixels, each times the weight of its column and a common one.</summary>
    public static void AddPixels(
        ReadOnlySpan<float> from, Span<float> to, int classes, float weight, ReadOnlySpan<float> columns)
    {
        for (int x = 0; x < columns.Length; x++)
        {
            float factor = weight * columns[x];
            ReadOnlySpan<float> source = from.Slice(x * classes, classes);
            Span<float> target = to.Slice(x * classes, classes);
            for (int c = 0; c < target.Length; c++)
                target[c] += factor * source[c];
        }
    }

    /// <summary>Copies the rectangle that begins at a row and a column, and is as large as the target.</summary>
    public static void Crop(Tensor from, Tensor to, int top, int left)
    {
        (int batch, int height, int width, int channels) = to.Shape;
        for (int row = 0; row < batch * height; row++)
        {
            from.Row(row / height, top + row % height).Slice(left * channels, width * channels)
                .CopyTo(to.Row(row / height, row % height));
        }
    }

    /// <summary>Adds a window's scores where the window lies, times the weights of its rows and columns.</summary>
    public static void AddWindow(
        Tensor from, Tensor to, int top, int left, ReadOnlySpan<float> rows, ReadOnlySpan<float> columns)
    {
        (int batch, int height, int width, int classes) = from.Shape;
        for (int row = 0; row < batch * height; row++)
        {
            Span<float> target =
                to.Row(row / height, top + row % height).Slice(left * classes, width * classes);
            AddPixels(from.Row(row / height, row % height), target, classes, rows[row % height], columns);
        }
    }

    /// <summary>Makes probabilities of logits, in their place.</summary>
    public static void Softmax(Tensor scores)
    {
        (int batch, int height, int width, int classes) = scores.Shape;
        for (int row = 0; row < batch * height; row++)
        {
            Span<float> pixels = scores.Row(row / height, row % height);
            for (int x = 0; x < width; x++)
            {
                Span<float> pixel = pixels.Slice(x * classes, classes);
                float best = float.NegativeInfinity, sum = 0;
                foreach (float logit in pixel)
                    best = Math.Max(best, logit);
                for (int c = 0; c < pixel.Length; c++)
                    sum += pixel[c] = MathF.Exp(pixel[c] - best);
                for (int c = 0; c < pixel.Length; c++)
                    pixel[c] /= sum;
            }
        }
    }

    /// <summary>Adds a weighted batch of pictures to another, or its mirror image.</summary>
    public static void AddPictures(Tensor from, Tensor to, float weight, bool mirrored)
    {
        (int batch, int height, int width, int classes) = to.Shape;
        for (int row = 0; row < batch * height; row++)
        {
            ReadOnlySpan<float> source = from.Row(row / height, row % height);
            Span<float> target = to.Row(row / height, row % height);
            if (!mirrored)
            {
                for (int i = 0; i < target.Length; i++)
                    target[i] += weight * source[i];
                continue;
            }
            for (int x = 0; x < width; x++)
            {
                ReadOnlySpan<float> pixel = source.Slice((width - 1 - x) * classes, classes);
                for (int c = 0; c < classes; c++)
                    target[x * classes + c] += weight * pixel[c];
            }
        }
    }

    /// <summary>The class of every pixel, the lowest among equals.</summary>
    /// <param name="scores">So many per label.</param>
    /// <param name="classes">The number of scores of a pixel.</param>
    /// <param name="decision">What the scores are, and what is asked of them.</param>
    /// <param name="labels">Receives the class of every pixel.</param>
    /// <param name="confidence">Gets the probability of each; empty for none.</param>
    /// <param name="members">
    /// Gets the classes of every pixel that can be of several, the lowest bit for the first; empty otherwise.
    /// </param>
    public static void Winners(
        ReadOnlySpan<float> scores, int classes, Decision decision, Span<ushort> labels, Span<float> confidence,
        Span<ulong> members)
    {
        (CrfScores form, double threshold, bool multiLabel) = decision;
        if (multiLabel)
        {
            Several(scores, classes, decision, labels, confidence, members);
            return;
        }
        if (threshold != Half)
        {
            Foreground(scores, form, threshold, labels, confidence);
            return;
        }
        for (int i = 0; i < labels.Length; i++)
        {
            ReadOnlySpan<float> pixel = scores.Slice(i * classes, classes);
            int best = 0;
            for (int c = 1; c < pixel.Length; c++)
            {
                if (pixel[c] > pixel[best])
                    best = c;
            }
            labels[i] = (ushort)best;
            if (!confidence.IsEmpty)
                confidence[i] = form == CrfScores.Probabilities
                    ? Math.Min(pixel[best], 1)
                    : Probability(pixel, pixel[best]);
        }
    }

    private static void Foreground(
        ReadOnlySpan<float> scores, CrfScores form, double threshold, Span<ushort> labels, Span<float> confidence)
    {
        for (int i = 0; i < labels.Length; i++)
        {
            (float background, float foreground) = (scores[2 * i], scores[2 * i + 1]);
            float probability = form == CrfScores.Probabilities
                ? Math.Min(foreground, 1)
                : 1 / (1 + MathF.Exp(background - foreground));
            bool above = probability > threshold;
            labels[i] = above ? (ushort)1 : (ushort)0;
            if (!confidence.IsEmpty)
                confidence[i] = above ? probability : 1 - probability;
        }
    }

    private static void Several(
        ReadOnlySpan<float> scores, int classes, Decision decision, Span<ushort> labels, Span<float> confidence,
        Span<ulong> members)
    {
        bool isLogit = decision.Form == CrfScores.Logits;
        double least = isLogit ? Math.Log(decision.Threshold / (1 - decision.Threshold)) : decision.Threshold;
        for (int i = 0; i < labels.Length; i++)
        {
            ReadOnlySpan<float> pixel = scores.Slice(i * classes, classes);
            int best = 0;
            ulong above = 0;
            for (int c = 0; c < pixel.Length; c++)
            {
                if (pixel[c] > pixel[best])
                    best = c;
                if (pixel[c] > least)
                    above |= 1UL << c;
            }
            members[i] = above;
            labels[i] = above == 0 ? (ushort)0 : (ushort)(best + 1);
            if (confidence.IsEmpty)
                continue;
            float probability = isLogit ? 1 / (1 + MathF.Exp(-pixel[best])) : Math.Min(pixel[best], 1);
            confidence[i] = above == 0 ? 1 - probability : probability;
        }
    }

    /// <summary>Makes probabilities of logits that have a sigmoid each, in their place.</summary>
    public static void Sigmoid(Tensor scores)
    {
        for (int row = 0; row < scores.Shape.Batch * scores.Shape.Height; row++)
        {
            foreach (ref float score in scores.Row(row / scores.Shape.Height, row % scores.Shape.Height))
                score = 1 / (1 + MathF.Exp(-score));
        }
    }

    private static float Probability(ReadOnlySpan<float> logits, float best)
    {
        float sum = 0;
        foreach (float logit in logits)
            sum += MathF.Exp(logit - best);
        return 1 / sum;
    }
}
