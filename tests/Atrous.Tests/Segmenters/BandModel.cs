using Atrous.Checkpoints.Containers;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Segmenters;

/// <summary>The network of <see cref="GeneratedModel"/> for pictures of another number of bands.</summary>
internal static class BandModel
{
    private const string FirstConvolution = "backbone.low_level_features.0.0.weight";

    public static string Write(string path, int bands)
    {
        var keys = Golden.Load(GeneratedModel.Name).Keys.Select(key =>
            key.Name == FirstConvolution ? (key.Name, [key.Shape[0], bands, .. key.Shape[2..]]) : key).ToList();
        Assert.Contains(keys, key => key.Name == FirstConvolution);
        using var weights = new GeneratedWeights(keys);
        WeightInfo[] tensors = [.. weights.Weights.Values];
        using var writer = new SafetensorsWriter(path, tensors);
        foreach (WeightInfo tensor in tensors)
        {
            var values = new float[tensor.Elements];
            weights.Read(tensor.Name, values);
            writer.Write(tensor.Name, values);
        }
        writer.Complete();
        return path;
    }
}
