using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>Attention between the pixels at one place of their patches.</summary>
internal static unsafe class Attending
{
    /// <summary>y = softmax(scale * q k^T) v, in each head.</summary>
    public static void Dot(Attention attention, Tensor[] inputs, Tensor output)
    {
        Shape shape = output.Shape;
        int channels = shape.Channels, depth = channels / attention.Heads, patch = attention.Patch;
        Part queries = Find(0), keys = Find(1), values = Find(2);
        Parallel.For(0, shape.Batch * shape.Height, row =>
        {
            (int n, int y) = Math.DivRem(row, shape.Height);
            var weights = new List<double>();
            for (int x = 0; x < shape.Width; x++)
            {
                for (int first = 0; first < channels; first += depth)
                {
                    float* query = queries.At(n, y, x) + first;
                    weights.Clear();
                    foreach (Place key in keys.Sequence(y % patch, x % patch, patch))
                    {
                        float* k = keys.At(n, key.Y, key.X) + first;
                        double score = 0;
                        for (int c = 0; c < depth; c++)
                            score += (double)query[c] * k[c];
                        weights.Add(score * attention.Scale);
                    }
                    Mix(n, y, x, first, weights);
                }
            }
        });

        Part Find(int part)
        {
            (int input, int channel) = Attention.Locate(part, inputs.Length, channels);
            return new Part(inputs[input], channel);
        }

        void Mix(int n, int y, int x, int first, List<double> scores)
        {
            double best = scores.Max(), sum = scores.Sum(score => Math.Exp(score - best));
            var totals = new double[depth];
            int i = 0;
            foreach (Place value in values.Sequence(y % patch, x % patch, patch))
            {
                double weight = Math.Exp(scores[i++] - best) / sum;
                float* v = values.At(n, value.Y, value.X) + first;
                for (int c = 0; c < depth; c++)
                    totals[c] += weight * v[c];
            }
            for (int c = 0; c < depth; c++)
                output[n, y, x, first + c] = (float)totals[c];
        }
    }

    /// <summary>y = relu(v) * sum of softmax(s) k; the input's channels are s, k and v.</summary>
    public static void Linear(int patch, Tensor input, Tensor output)
    {
        int channels = output.Shape.Channels;
        Part scores = new(input, 0), keys = new(input, 1), values = new(input, 1 + channels);
        for (int sequence = 0; sequence < output.Shape.Batch * patch * patch; sequence++)
        {
            int n = sequence / (patch * patch), top = sequence / patch % patch, left = sequence % patch;
            List<Place> places = [.. keys.Sequence(top, left, patch)];
            double best = places.Max(p => *scores.At(n, p.Y, p.X));
            double sum = places.Sum(p => Math.Exp(*scores.At(n, p.Y, p.X) - best));
            var context = new double[channels];
            foreach (Place p in places)
            {
                double weight = Math.Exp(*scores.At(n, p.Y, p.X) - best) / sum;
                for (int c = 0; c < channels; c++)
                    context[c] += weight * keys.At(n, p.Y, p.X)[c];
            }
            foreach (Place p in places)
            {
                for (int c = 0; c < channels; c++)
                    output[n, p.Y, p.X, c] = (float)(Math.Max(values.At(n, p.Y, p.X)[c], 0f) * context[c]);
            }
        }
    }

    private readonly record struct Place(int Y, int X);

    /// <summary>A tensor from one of its channels on.</summary>
    private readonly record struct Part(Tensor Tensor, int Channel)
    {
        public float* At(int n, int y, int x)
        {
            Shape shape = Tensor.Shape;
            return (float*)Tensor.Pointer
                + (((long)n * shape.Height + y) * shape.Width + x) * shape.Channels + Channel;
        }

        public IEnumerable<Place> Sequence(int top, int left, int patch)
        {
            for (int y = top; y < Tensor.Shape.Height; y += patch)
            {
                for (int x = left; x < Tensor.Shape.Width; x += patch)
                    yield return new Place(y, x);
            }
        }
    }
}
