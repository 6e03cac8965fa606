using System.Text.Json;
using Atrous.Checkpoints.Containers;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Segmenters;

/// <summary>What Atrous says of a checkpoint, against what its publisher says.</summary>
public sealed class ModelInfoTests
{
    /// <summary>
    /// torchvision's documentation: 11,029,328 parameters with the auxiliary head, 10.45 G multiply-adds at 520x520.
    /// </summary>
    [Fact]
    public void Parameters_and_multiply_adds_are_those_that_torchvision_publishes()
    {
        string manifest = Shared.Require("goldens/manifests/torchvision_deeplabv3_mobilenet_v3_large_aux.json");
        string folder = Directory.CreateTempSubdirectory("atrous-tests-").FullName;
        try
        {
            string path = Path.Combine(folder, "model.safetensors");
            WriteZeros(manifest, path);
            ModelInfo info = ModelInfo.Read(path, height: 520, width: 520);
            Assert.Equal(
                ("torchvision", "DeepLabV3", "MobileNetV3-Large"), (info.Dialect, info.Architecture, info.Backbone));
            Assert.Equal((21, 16, 3), (info.Classes, info.OutputStride, info.InputChannels));
            Assert.Equal(11_029_328, info.Parameters);
            Assert.Equal(10.45, info.MultiplyAdds!.Value / 1e9, 0.05);
            Assert.Empty(info.Missing);
            Assert.Empty(info.Unexpected);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void WriteZeros(string manifest, string path)
    {
        using JsonDocument keys = JsonDocument.Parse(File.ReadAllBytes(manifest));
        WeightInfo[] tensors =
        [
            .. keys.RootElement.EnumerateArray().Select(key => new WeightInfo(
                key[0].GetString()!,
                key[0].GetString()!.EndsWith("num_batches_tracked", StringComparison.Ordinal)
                    ? DType.Int64
                    : DType.Float32,
                [.. key[1].EnumerateArray().Select(size => size.GetInt32())])),
        ];
        using var writer = new SafetensorsWriter(path, tensors);
        foreach (WeightInfo tensor in tensors)
            writer.Write(tensor.Name, new float[tensor.Elements]);
        writer.Complete();
    }
}
