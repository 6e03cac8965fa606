using System.Text.Json;
using System.Text.RegularExpressions;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// A folder as Hugging Face and segmentation_models.pytorch save it: what describes the weights, and the weights, in
/// one file or in several with an index (<see cref="ShardIndex"/>).
/// </summary>
internal static partial class ModelFolder
{
    private const string ConfigFile = "config.json", PreprocessorFile = "preprocessor_config.json";
    private const int MaxConfigBytes = 4 << 20; // twice that of 22,000 class names

    private static readonly string[] WeightFiles = ["model.safetensors", "pytorch_model.bin"];

    /// <summary>
    /// The file to open for a path, and what lies beside it: a folder's file of weights, the index where the path is
    /// one of several files or their index, or the path itself. Only a file of a name that such folders give has a
    /// folder.
    /// </summary>
    /// <exception cref="ModelException">A folder has no weights, or a document is none.</exception>
    public static (string Weights, FolderDocuments Documents) Find(string path)
    {
        (string weights, string? folder) = Locate(path);
        return (weights, folder is null ? new FolderDocuments() : DocumentsIn(folder));
    }

    /// <summary>All files that a model of this path is read from, in a fixed order.</summary>
    /// <exception cref="ModelException">A folder has no weights.</exception>
    public static IReadOnlyList<string> FilesOf(string path)
    {
        (string weights, string? folder) = Locate(path);
        IEnumerable<string> documents = folder is null
            ? []
            : new[] { ConfigFile, PreprocessorFile }.Select(name => Path.Combine(folder, name)).Where(File.Exists);
        IEnumerable<string> shards = [];
        if (folder is not null && weights.EndsWith(ShardIndex.Extension, StringComparison.OrdinalIgnoreCase))
        {
            string index = File.ReadAllText(weights);
            var below = new EnumerationOptions
            {
                RecurseSubdirectories = true,
                MaxRecursionDepth = ShardIndex.MaxDepth - 1,
            };
            shards = Directory.EnumerateFiles(folder, "*", below)
                .Where(file => index.Contains(
                    $"\"{Path.GetRelativePath(folder, file).Replace('\\', '/')}\"", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal);
        }
        return [weights, .. shards, .. documents];
    }

    /// <summary>The file of weights, and the folder whose documents describe it; null for none.</summary>
    private static (string Weights, string? Folder) Locate(string path)
    {
        if (Directory.Exists(path))
            return (WeightsIn(path), path);
        string index = Shard().Replace(path, ".$1" + ShardIndex.Extension);
        bool sharded = index.EndsWith(ShardIndex.Extension, StringComparison.OrdinalIgnoreCase) && File.Exists(index);
        string weights = sharded ? index : path;
        return sharded || WeightFiles.Contains(Path.GetFileName(path), StringComparer.Ordinal)
            ? (weights, Path.GetDirectoryName(Path.GetFullPath(weights))!)
            : (weights, null);
    }

    private static string WeightsIn(string folder)
    {
        string[] names = [.. WeightFiles, .. WeightFiles.Select(name => name + ShardIndex.Extension)];
        if (names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } known)
            return known;
        string[] indexes = Directory.GetFiles(folder, "*" + ShardIndex.Extension, new EnumerationOptions());
        if (indexes.Length == 0
            && Directory.GetFiles(folder).Order(StringComparer.Ordinal).FirstOrDefault(Shard().IsMatch) is { } part)
        {
            throw new ModelException(
                $"The folder '{folder}' has '{Path.GetFileName(part)}', a part of a model, and not its index " +
                $"'{Path.GetFileName(Shard().Replace(part, ".$1" + ShardIndex.Extension))}'; copy or download it too.");
        }
        return indexes.Length == 1
            ? indexes[0]
            : throw new ModelException(
                $"The folder '{folder}' has no {string.Join(" or ", WeightFiles)}; name the checkpoint file itself.");
    }

    private static FolderDocuments DocumentsIn(string folder) => new()
    {
        Config = ReadDocument(Path.Combine(folder, ConfigFile)),
        Preprocessor = ReadDocument(Path.Combine(folder, PreprocessorFile)),
    };

    private static JsonElement? ReadDocument(string path)
    {
        if (!File.Exists(path))
            return null;
        using var file = new CheckpointFile(path);
        JsonElement document = SoundJson.Parse(file, "a configuration", MaxConfigBytes);
        return document.ValueKind == JsonValueKind.Object
            ? document
            : throw file.Error("is no configuration: it holds no JSON object");
    }

    [GeneratedRegex(@"-\d{5}-of-\d{5}\.(safetensors|bin)$", RegexOptions.None, 1000)]
    private static partial Regex Shard();
}
