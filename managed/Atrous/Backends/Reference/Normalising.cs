using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>Norms whose statistics are the input's own.</summary>
internal static unsafe class Normalising
{
    /// <summary>y = (x - mean) / sqrt(variance + epsilon) * scale[c] + shift[c].</summary>
    public static void Layer(LayerNorm norm, Tensor input, Tensor output)
    {
        int channels = input.Shape.Channels;
        long count = norm.WholePicture ? (long)input.Shape.Height * input.Shape.Width * channels : channels;
        for (long first = 0; first < input.Shape.Elements; first += count)
        {
            float* x = (float*)input.Pointer + first, y = (float*)output.Pointer + first;
            double mean = 0, variance = 0;
            for (long i = 0; i < count; i++)
                mean += x[i] / (double)count;
            for (long i = 0; i < count; i++)
                variance += (x[i] - mean) * (x[i] - mean) / count;
            double factor = 1 / Math.Sqrt(variance + norm.Epsilon);
            for (long i = 0; i < count; i++)
            {
                int c = (int)(i % channels);
                y[i] = (float)((x[i] - mean) * factor * norm.Scale[c] + norm.Shift[c]);
            }
        }
    }
}
