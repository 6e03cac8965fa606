using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>From scores to labels, one pixel after the other.</summary>
internal static unsafe class Labelling
{
    public static void Softmax(Softmax softmax, Tensor input, Tensor output)
    {
        // Along the channels every one of them is a slice.
        int channels = input.Shape.Channels, slices = softmax.Slices == 1 ? channels : softmax.Slices;
        int width = channels / slices;
        var scores = stackalloc float[slices];
        for (long pixel = 0; pixel < input.Shape.Pixels; pixel++)
        {
            float* x = (float*)input.Pointer + pixel * channels, y = (float*)output.Pointer + pixel * channels;
            for (int c = 0; c < width; c++)
            {
                for (int slice = 0; slice < slices; slice++)
                    scores[slice] = x[slice * width + c];
                float best = scores[Winner(scores, slices)];
                double sum = Sum(scores, slices, best);
                for (int slice = 0; slice < slices; slice++)
                    y[slice * width + c] = (float)(Math.Exp((double)scores[slice] - best) / sum);
            }
        }
    }

    /// <exception cref="ScoreException">Some are infinite or no numbers.</exception>
    public static void Argmax(Tensor logits, Tensor output)
    {
        int channels = logits.Shape.Channels;
        for (int i = 0; i < logits.Shape.Batch; i++)
        {
            if (FiniteNumbers.Overflow(logits.Image<float>(i)))
                throw new ScoreException();
        }
        for (long pixel = 0; pixel < logits.Shape.Pixels; pixel++)
            ((ushort*)output.Pointer)[pixel] = (ushort)Winner((float*)logits.Pointer + pixel * channels, channels);
    }

    /// <summary>The softmax probability of the winner: exp(0) over the sum.</summary>
    public static void Confidence(Tensor logits, Tensor output)
    {
        int channels = logits.Shape.Channels;
        for (long pixel = 0; pixel < logits.Shape.Pixels; pixel++)
        {
            float* scores = (float*)logits.Pointer + pixel * channels;
            ((float*)output.Pointer)[pixel] = (float)(1 / Sum(scores, channels, scores[Winner(scores, channels)]));
        }
    }

    /// <summary>
    /// Hands the logits on, resized where the operation includes that. They are rounded to float32 in between, so that
    /// fusing the two never changes a label.
    /// </summary>
    public static void Upsampled(ResizeBilinear? resize, Tensor logits, Action<Tensor> label)
    {
        if (resize is null)
        {
            label(logits);
            return;
        }
        using var resized = new Tensor(resize.OutputShape([logits.Shape]));
        Resizing.Bilinear(resize, logits, resized);
        label(resized);
    }

    /// <summary>The first of the largest.</summary>
    private static int Winner(float* scores, int channels)
    {
        int best = 0;
        for (int c = 1; c < channels; c++)
        {
            if (scores[c] > scores[best])
                best = c;
        }
        return best;
    }

    private static double Sum(float* scores, int channels, float best)
    {
        double sum = 0;
        for (int c = 0; c < channels; c++)
            sum += Math.Exp((double)scores[c] - best);
        return sum;
    }
}
