using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>What a container reader found in a file.</summary>
internal sealed record ContainerContents(string Container, OrderedDictionary<string, StoredTensor> Tensors)
{
    /// <summary>The dictionary keys from the root to the tensors, joined by dots.</summary>
    public string WeightsPath { get; init; } = "";

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Extras { get; init; } = new Dictionary<string, string>();
}
