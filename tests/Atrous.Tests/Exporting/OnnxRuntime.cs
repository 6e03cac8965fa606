using Atrous.Imaging;
using Atrous.Onnx.Format;
using Atrous.Tensors;
using Atrous.Tests.Support;
using Microsoft.ML.OnnxRuntime;

namespace Atrous.Tests.Exporting;

/// <summary>ONNX Runtime as the judge of exported files.</summary>
internal static class OnnxRuntime
{
    /// <summary>Every output of a run on each input, NHWC.</summary>
    public static IReadOnlyList<Dictionary<string, (Shape Shape, float[] Values)>> Run(
        string model, params Tensor[] inputs)
    {
        using var options = new SessionOptions { InterOpNumThreads = 1 };
        // Threads that wait leave the processor to other tests.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        using var session = new InferenceSession(model, options);
        return [.. inputs.Select(input => Run(session, input))];
    }

    /// <summary>Every output of a run on a picture's bytes, or those of several below each other, NHWC.</summary>
    public static Dictionary<string, (Shape Shape, float[] Values)> Run(string model, Image picture, int batch = 1)
    {
        using var options = new SessionOptions { InterOpNumThreads = 1 };
        using var session = new InferenceSession(model, options);
        using var pixels = OrtValue.CreateTensorValueFromMemory(
            picture.Pixels.ToArray(), [batch, picture.Height / batch, picture.Width, picture.Channels]);
        return Run(session, pixels);
    }

    /// <summary>The operators that it makes of a file's for this processor.</summary>
    public static ModelProto Optimised(string model)
    {
        string path = $"{model}.optimised";
        using (var options = new SessionOptions { OptimizedModelFilePath = path })
        {
            // It warns that the file is for this processor.
            options.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR;
            using var session = new InferenceSession(model, options);
        }
        return ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
    }

    private static Dictionary<string, (Shape Shape, float[] Values)> Run(InferenceSession session, Tensor input)
    {
        Shape shape = input.Shape;
        using var values = OrtValue.CreateTensorValueFromMemory(
            Layout.ToNchw(Layout.Values(input), shape), [shape.Batch, shape.Channels, shape.Height, shape.Width]);
        return Run(session, values);
    }

    private static Dictionary<string, (Shape Shape, float[] Values)> Run(InferenceSession session, OrtValue values)
    {
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> results =
            session.Run(options, [session.InputNames[0]], [values], session.OutputNames);
        return session.OutputNames.Zip(results).ToDictionary(pair => pair.First, pair => Output(pair.Second));
    }

    private static (Shape Shape, float[] Values) Output(OrtValue value)
    {
        long[] sizes = value.GetTensorTypeAndShape().Shape;
        var shape = new Shape((int)sizes[0], (int)sizes[2], (int)sizes[3], (int)sizes[1]);
        return (shape, Layout.ToNhwc(value.GetTensorDataAsSpan<float>().ToArray(), shape));
    }
}
