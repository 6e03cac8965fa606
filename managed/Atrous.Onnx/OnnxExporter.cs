using Atrous.Exporting;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Models;
using Atrous.Onnx.Format;
using Atrous.Preprocessing;
using Atrous.Specs;
using Atrous.Tensors;
using Google.Protobuf;

namespace Atrous.Onnx;

/// <summary>
/// Writes a model as ONNX (operator set 17, or 18 where the file resizes pictures; file version 8). Input "input":
/// N,C,H,W float32, normalised; or "pixels": N,H,W,C bytes. Outputs "logits": what the original's forward returns, and
/// "output": logits at the input's size; "output" alone where the two are the same. Batch norms are folded into the
/// convolutions. The file's metadata say what Atrous does around the network: "preprocessing", "class_names",
/// "colours", "threshold", "multilabel", "dialect". A quantised model is written with its int8 weights, and with
/// QuantizeLinear and DequantizeLinear around what is computed in 8 bits; its layers of float32 stay so.
/// </summary>
public static class OnnxExporter
{
    private const int FileVersion = 8, OperatorSet = 17, PictureOperatorSet = 18;

    // Protobuf lengths are signed 32-bit numbers; some room for the nodes.
    private const long MostWeightBytes = int.MaxValue - (32L << 20);

    /// <summary>Exports a checkpoint. The file appears whole or not at all.</summary>
    /// <param name="modelPath">
    /// The path of a model, as <see cref="Segmenter.Load(string, SegmenterOptions?)"/> takes it.
    /// </param>
    /// <param name="onnxPath">The file to write; replaced where it exists.</param>
    /// <param name="options">The output stride, dialect and switches count; null for the dialect's own.</param>
    /// <param name="export">The input size and batch; null for any.</param>
    /// <exception cref="ModelException">
    /// The checkpoint is broken, of no known dialect, or lacks weights; or the size is too small.
    /// </exception>
    /// <exception cref="UnavailableException">
    /// The model is too large for an ONNX file, or an option is not to be had.
    /// </exception>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static OnnxExportResult Export(
        string modelPath, string onnxPath, SegmenterOptions? options = null, OnnxExportOptions? export = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(onnxPath);
        export ??= new OnnxExportOptions();
        if (export.Batch is { } batch)
            ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1, nameof(export));
        if (export is { FromPictures: true, Size: not null })
            throw new ArgumentException("The file resizes pictures to the model's own size.", nameof(export));
        using ModelSource source = ModelSource.Open(modelPath, options);
        (TracedNetwork network, string? reason) = Trace(source, export);
        CheckSize(network, modelPath);
        ModelProto model = Describe(
            source.Description, source.Info, export.FromPictures ? PictureOperatorSet : OperatorSet);
        model.Graph = export.FromPictures
            ? GraphWriter.WritePictures(network, export.Batch, PictureOperatorSet, source.Description)
            : GraphWriter.Write(
                network, export.Batch, OperatorSet, export.FromPixels ? source.Description.Preprocessing : null);
        long bytes = Write(model, onnxPath);
        Shape shape = network.Graph.Inputs[0].Shape;
        return new OnnxExportResult(
            network.IsFixed && !export.FromPictures ? (shape.Height, shape.Width) : null, reason,
            [.. model.Graph.Output.Select(output => output.Name)], model.Graph.Node.Count, bytes)
        {
            Model = source.Info,
        };
    }

    private static (TracedNetwork Network, string? FixedBecause) Trace(ModelSource source, OnnxExportOptions export)
    {
        int channels = source.Description.Network.InputChannels, batch = export.Batch ?? 1;
        if (export.Size is { } size)
            return (TracedNetwork.At(source.Model, new Shape(batch, size.Height, size.Width, channels), Results), null);
        Func<NetworkOutputs, Value[]> outputs =
            export.FromPictures ? results => [ResizedScores(source.Description, results)] : Results;
        TracedNetwork any = TracedNetwork.AtAnySize(source.Model, outputs);
        if (any.SizeDependence() is not { } reason)
            return (any, null);
        PreprocessingSpec pictures = source.Description.Preprocessing;
        (int height, int width) = UsualSize(pictures.Resize);
        if (export.FromPictures)
        {
            if (pictures.Resize is not (ResizePolicy.Stretch or ResizePolicy.Letterbox))
            {
                throw new UnavailableException(
                    $"The network is written for one size ({reason}), and the model's pictures have several "
                    + $"({pictures.Resize}): write it for one size, and resize pictures before it.");
            }
            PreprocessingPlan plan = PreprocessingPlan.For(pictures, height, width, source.Model.MinimumSide);
            return (
                TracedNetwork.At(source.Model, new Shape(batch, plan.Height, plan.Width, channels), outputs), null);
        }
        return (TracedNetwork.At(source.Model, new Shape(batch, height, width, channels), outputs), reason);

        static Value[] Results(NetworkOutputs results) => [results.Forward, results.AtInputSize];
    }

    /// <summary>
    /// What is resized to the picture: scores at the input's size where a part of them is cut out or they go on from
    /// there, else the network's own.
    /// </summary>
    private static Value ResizedScores(ModelDescription model, NetworkOutputs results)
    {
        PreprocessingSpec pictures = model.Preprocessing;
        bool isFilled = pictures.Resize is ResizePolicy.Letterbox
            || pictures is { SizeMultiple: not null, StretchesToMultiple: false };
        return isFilled || model.Network is { SoftmaxBeforeResize: true } or { Forward.Cropped: true }
            or { ResizedTwice: true }
            ? results.AtInputSize
            : results.Logits;
    }

    private static (int Height, int Width) UsualSize(ResizePolicy policy) => policy switch
    {
        ResizePolicy.Stretch stretch => (stretch.Height, stretch.Width),
        ResizePolicy.Letterbox box => (box.Height, box.Width),
        ResizePolicy.Within frame => (frame.Short, frame.Long),
        ResizePolicy.LongSide side => (side.Size, side.Size),
        _ => (513, 513),
    };

    private static void CheckSize(TracedNetwork network, string modelPath)
    {
        long bytes = network.Graph.Nodes.Select(node => node.Op).OfType<Conv2d>().Select(conv => conv.Kernel).Distinct()
            .Sum(kernel => kernel.Elements * sizeof(float));
        if (bytes > MostWeightBytes)
        {
            throw new UnavailableException(
                $"'{modelPath}' has {bytes / (1 << 20)} MiB of weights; an ONNX file holds at most 2 GiB, and a " +
                $"safetensors file more.")
            {
                Remedy = Remedy.Convert,
            };
        }
    }

    private static ModelProto Describe(ModelDescription description, ModelInfo info, int operators)
    {
        var model = new ModelProto
        {
            IrVersion = FileVersion,
            ProducerName = "atrous",
            ProducerVersion = typeof(OnnxExporter).Assembly.GetName().Version!.ToString(3),
            DocString =
                $"{description.Network.Head.Name} with {description.Network.Backbone.Name}; input: " +
                $"{description.Preprocessing}",
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = operators });
        foreach ((string key, string value) in Metadata.Of(info))
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return model;
    }

    private static long Write(ModelProto model, string path)
    {
        string temporary = $"{path}.{Path.GetRandomFileName()}.partial";
        try
        {
            using (var stream = new FileStream(
                temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 20))
            {
                model.WriteTo(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
            return new FileInfo(path).Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is none where its folder is missing.
            if (File.Exists(temporary))
                File.Delete(temporary);
            throw new OutputException($"The file '{path}' cannot be written: {e.Message.TrimEnd('.')}.", e);
        }
    }
}
