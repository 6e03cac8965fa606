using System.Globalization;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Dialects;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Exporting;

/// <summary>
/// Writes any model in Atrous's own form: a safetensors file whose metadata has the network and the pre-processing, and
/// whose tensors have the canonical layer names. It needs no dialect and no switches to be read.
/// </summary>
public static class ModelConverter
{
    /// <summary>Converts a checkpoint. The file appears whole or not at all.</summary>
    /// <param name="modelPath">
    /// The path of a model, as <see cref="Segmenter.Load(string, SegmenterOptions?)"/> takes it.
    /// </param>
    /// <param name="path">The safetensors file to write; replaced where it exists.</param>
    /// <param name="options">
    /// The output stride, dialect, switches, pre-processing and class names, which the new file keeps.
    /// </param>
    /// <param name="convert">The number format, folding; null for float32 as it is.</param>
    /// <exception cref="ModelException">
    /// The checkpoint is broken, of no known dialect, or lacks weights; or a value does not fit into the number format.
    /// </exception>
    /// <exception cref="UnavailableException">
    /// The output stride, dialect, switch or number format is not to be had.
    /// </exception>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static ConvertResult Convert(
        string modelPath, string path, SegmenterOptions? options = null, ConvertOptions? convert = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        convert ??= new ConvertOptions();
        if (convert.Type is not (DType.Float32 or DType.Float16 or DType.BFloat16))
            throw new UnavailableException(
                $"Weights can be written as Float32, Float16 or BFloat16, not as {convert.Type}.");
        using ModelSource source = ModelSource.Open(modelPath, options);
        ModelDescription description = source.Description;
        NetworkSpec network = description.Network;
        description = description with
        {
            // What is written is no int8, so the file cannot say that it is computed so.
            Quantization = null,
            QuantizationFacts = null,
            Network = network with
            {
                Backbone = network.Backbone.Merged(),
                BatchNormFolded = network.BatchNormFolded || convert.FoldBatchNorm,
            },
        };
        ConvertedTensor[] tensors = [.. ConvertedTensor.Of(source, convert.FoldBatchNorm)];
        WeightInfo[] infos = [.. tensors.Select(tensor => new WeightInfo(tensor.Name, convert.Type, tensor.Shape))];
        using var writer = new SafetensorsWriter(path, infos, SelfDescribingFile.Metadata(description));
        foreach (ConvertedTensor tensor in tensors)
        {
            float[] values = tensor.Values();
            if (convert.Type == DType.Float16)
                CheckRange(tensor.Name, values);
            writer.Write(tensor.Name, values);
        }
        writer.Complete();
        return new ConvertResult(infos.Length, infos.Sum(info => info.Elements), new FileInfo(path).Length)
        {
            Model = source.Info,
        };
    }

    private static void CheckRange(string name, float[] values)
    {
        foreach (float value in values)
        {
            if (float.IsFinite(value) && !Half.IsFinite((Half)value))
            {
                throw new ModelException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The tensor '{name}' has the value {value:g6}, and float16 ends at 65504; use bfloat16, which " +
                    $"has float32's range, or float32."));
            }
        }
    }
}
