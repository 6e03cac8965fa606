using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Tensors;

namespace Atrous.Tests.Support;

/// <summary>A checkpoint written anew as safetensors, with other names or more tensors.</summary>
internal static class Resaved
{
    /// <summary>Writes it; what is added has the shape [1, n, 1, 1].</summary>
    public static void Write(
        string original, string path, Func<string, string>? rename = null,
        params (string Name, float[] Values)[] added)
    {
        using Checkpoint checkpoint = Checkpoint.Open(original);
        rename ??= name => name;
        WeightInfo[] all =
        [
            .. checkpoint.Weights.Values.Select(weight => weight with { Name = rename(weight.Name) }),
            .. added.Select(tensor => new WeightInfo(tensor.Name, DType.Float32, [1, tensor.Values.Length, 1, 1])),
        ];
        using var writer = new SafetensorsWriter(path, all);
        foreach (WeightInfo weight in checkpoint.Weights.Values)
        {
            var values = new float[weight.Elements];
            checkpoint.Read(weight.Name, values);
            writer.Write(rename(weight.Name), values);
        }
        foreach ((string name, float[] values) in added)
            writer.Write(name, values);
        writer.Complete();
    }
}
