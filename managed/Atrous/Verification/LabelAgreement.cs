using Atrous.Tensors;

namespace Atrous.Verification;

/// <summary>How many pixels of a picture get the same label from two devices.</summary>
/// <param name="Pixels">The number of all pixels.</param>
/// <param name="Same">Those with the same label.</param>
/// <param name="Decided">Those whose winner leads by more than the tolerance lets scores move.</param>
/// <param name="DecidedSame">Those of the decided that have the same label.</param>
public sealed record LabelAgreement(long Pixels, long Same, long Decided, long DecidedSame)
{
    /// <summary>Of all pixels, 0 to 1.</summary>
    public double OfAll => (double)Same / Pixels;

    /// <summary>Of the decided pixels, 0 to 1; 1 where none is decided.</summary>
    public double OfDecided => Decided == 0 ? 1 : (double)DecidedSame / Decided;

    /// <summary>Compares a mask with the exact scores.</summary>
    /// <param name="labels">The mask, row by row.</param>
    /// <param name="scores">The exact scores of one picture of the mask's size: [1, height, width, classes].</param>
    /// <param name="lead">
    /// The difference between the best and the second score from which on a pixel counts as decided.
    /// </param>
    public static LabelAgreement Of(ReadOnlySpan<ushort> labels, Tensor scores, double lead)
    {
        ArgumentNullException.ThrowIfNull(scores);
        (_, int height, int width, int classes) = scores.Shape;
        long same = 0, decided = 0, decidedSame = 0;
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<float> row = scores.Row(0, y);
            for (int x = 0; x < width; x++)
            {
                (int winner, double by) = Winner(row.Slice(x * classes, classes));
                bool agrees = labels[y * width + x] == winner;
                same += agrees ? 1 : 0;
                if (by > lead)
                {
                    decided++;
                    decidedSame += agrees ? 1 : 0;
                }
            }
        }
        return new LabelAgreement((long)height * width, same, decided, decidedSame);
    }

    private static (int Winner, double By) Winner(ReadOnlySpan<float> scores)
    {
        int winner = 0;
        float second = float.NegativeInfinity;
        for (int c = 1; c < scores.Length; c++)
        {
            if (scores[c] > scores[winner])
                (winner, second) = (c, scores[winner]);
            else
                second = Math.Max(second, scores[c]);
        }
        return (winner, (double)scores[winner] - second);
    }
}
