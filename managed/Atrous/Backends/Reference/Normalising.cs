using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>Norms whose statistics are the input's own.</summary>
internal static unsafe class Normalising
{
    /// <summary>1 + scale[c] * norm[c] / (mean of the norms + epsilon).</summary>
    public static void Response(GlobalResponse response, Tensor input, Tensor output)
    {
        int channels = input.Shape.Channels;
        long pixels = (long)input.Shape.Height * input.Shape.Width;
        var norms = new double[channels];
        for (int n = 0; n < input.Shape.Batch; n++)
        {
            float* x = (float*)input.Pointer + n * pixels * channels, y = (float*)output.Pointer + (long)n * channels;
            Array.Clear(norms);
            for (long i = 0; i < pixels * channels; i++)
                norms[i % channels] += (double)x[i] * x[i];
            double mean = norms.Average(Math.Sqrt);
            for (int c = 0; c < channels; c++)
                y[c] = (float)(1 + response.Scale[c] * Math.Sqrt(norms[c]) / (mean + response.Epsilon));
        }
    }

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
