using System.Text.Json;
using System.Text.RegularExpressions;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// A folder as Hugging Face and segmentation_models.pytorch save it: a configuration and the weights, in one file or in
/// several with an index (<see cref="ShardIndex"/>).
/// </summary>
internal static partial class ModelFolder
{
    private const string ConfigFile = "config.json";
    private const int MaxConfigBytes = 4 << 20;

    private static readonly string[] WeightFiles = ["model.safetensors", "pytorch_model.bin"];

    /// <summary>
    /// The file to open for a path, and the configuration beside it: a folder's file of weights, the index where the
    /// path is one of several files or their index, or the path itself, which has no configuration.
    /// </summary>
    public static (string Weights, JsonElement? Config) Find(string path)
    {
        if (Directory.Exists(path))
            return (WeightsIn(path), ConfigIn(path));
        string index = Shard().Replace(path, ".$1" + ShardIndex.Extension);
        return index.EndsWith(ShardIndex.Extension, StringComparison.OrdinalIgnoreCase) && File.Exists(index)
            ? (index, ConfigIn(Path.GetDirectoryName(Path.GetFullPath(index))!))
            : (path, null);
    }

    private static string WeightsIn(string folder)
    {
        string[] names = [.. WeightFiles, .. WeightFiles.Select(name => name + ShardIndex.Extension)];
        if (names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } known)
            return known;
        string[] indexes = Directory.GetFiles(folder, "*" + ShardIndex.Extension, new EnumerationOptions());
        return indexes.Length == 1
            ? indexes[0]
            : throw new ModelException(
                $"The folder '{folder}' has no {string.Join(" or ", WeightFiles)}; name the checkpoint file itself.");
    }

    private static JsonElement? ConfigIn(string folder)
    {
        string config = Path.Combine(folder, ConfigFile);
        return File.Exists(config) ? ReadConfig(config) : null;
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

    [GeneratedRegex(@"-\d{5}-of-\d{5}\.(safetensors|bin)$", RegexOptions.None, 1000)]
    private static partial Regex Shard();
}
