using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Quantizing;

/// <summary>Writes a model of folded norms with the kernels that a table names as bytes.</summary>
internal static class QuantizedFile
{
    /// <summary>Writes the file, which appears whole or not at all.</summary>
    /// <param name="source">What the model in Atrous's own form is.</param>
    /// <param name="weights">The weights by their canonical names.</param>
    /// <param name="path">The safetensors file to write; replaced where it exists.</param>
    /// <param name="table">How the network is computed in 8 bits.</param>
    /// <param name="facts">How that was found out.</param>
    public static void Write(
        ModelDescription source, IWeightSource weights, string path, QuantizationTable table, QuantizationFacts facts)
    {
        const string weight = ".weight", bias = ".bias";
        var infos = new List<WeightInfo>();
        foreach (WeightInfo info in weights.Weights.Values)
        {
            bool bytes = table.Kernels.Contains(info.Name);
            infos.Add(new WeightInfo(info.Name, bytes ? DType.Int8 : DType.Float32, info.Shape));
            if (bytes)
                infos.Add(new WeightInfo(info.Name + QuantizedTensors.Step, DType.Float32, [info.Shape[0]]));
        }
        ModelDescription description = source with { Quantization = table, QuantizationFacts = facts };
        using var writer = new SafetensorsWriter(path, infos, SelfDescribingFile.Metadata(description));
        foreach (WeightInfo info in weights.Weights.Values)
        {
            float[] values = new Weight(weights, info).ToArray();
            if (table.Kernels.Contains(info.Name))
            {
                QuantizedKernel kernel = QuantizedKernel.Of(values, info.Shape[0]);
                writer.Write(info.Name, Array.ConvertAll(kernel.Values, value => (float)value));
                writer.Write(info.Name + QuantizedTensors.Step, kernel.Steps);
                continue;
            }
            if (info.Name.EndsWith(bias, StringComparison.Ordinal)
                && table.Corrections.TryGetValue(info.Name[..^bias.Length] + weight, out float[]? correction))
            {
                for (int c = 0; c < values.Length; c++)
                    values[c] += correction[c];
            }
            writer.Write(info.Name, values);
        }
        writer.Complete();
    }
}
