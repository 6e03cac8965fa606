using System.Text.Json;

namespace Atrous.Checkpoints.Containers;

/// <summary>What lies beside the weights in the folder of a model.</summary>
internal sealed record FolderDocuments
{
    /// <summary>`config.json`: the network.</summary>
    public JsonElement? Config { get; init; }

    /// <summary>`preprocessor_config.json`: how Hugging Face's image processor prepares a picture.</summary>
    public JsonElement? Preprocessor { get; init; }
}
