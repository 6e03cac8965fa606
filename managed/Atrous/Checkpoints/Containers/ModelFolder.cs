using System.Text.Json;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// A folder as Hugging Face and segmentation_models.pytorch save it: a configuration and one file of weights.
/// </summary>
internal static class ModelFolder
{
    private const string ConfigFile = "config.json";
    private const int MaxConfigBytes = 4 << 20;

    private static readonly string[] WeightFiles = ["model.safetensors", "pytorch_model.bin"];

    public static (string Weights, JsonElement? Config) Read(string folder)
    {
        string? weights = WeightFiles.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (weights is null && WeightFiles.Any(name => File.Exists(Path.Combine(folder, name + ".index.json"))))
            throw new ModelException(
                $"The checkpoint '{folder}' is split into several files; save it as one model.safetensors.");
        if (weights is null)
            throw new ModelException(
                $"The folder '{folder}' has no {string.Join(" or ", WeightFiles)}; name the checkpoint file itself.");
        string config = Path.Combine(folder, ConfigFile);
        return (weights, File.Exists(config) ? ReadConfig(config) : null);
    }

    private static JsonElement ReadConfig(string path)
    {
        using var file = new CheckpointFile(path);
        if (file.Length > MaxConfigBytes)
            throw file.Error($"is too large for a configuration: {file.Length} bytes");
        try
        {
            using JsonDocument document = JsonDocument.Parse(new FileRegion(file, 0, file.Length).ToArray());
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw file.Error("is not valid JSON", e);
        }
    }
}
