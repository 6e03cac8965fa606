using System.Text.Json;

namespace Atrous.Checkpoints.Containers;

/// <summary>What a container reader found in a file.</summary>
/// <param name="Container">The name of the file's form.</param>
/// <param name="Dictionaries">
/// Those that hold tensors, at least one: first the one that a training script would load.
/// </param>
internal sealed record ContainerContents(string Container, IReadOnlyList<TensorDictionary> Dictionaries)
{
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>What a network or its training was made with, by the key under which it lies.</summary>
    public IReadOnlyDictionary<string, JsonElement> Arguments { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>What OpenMMLab's runners say of the training; null where nobody says.</summary>
    public JsonElement? Meta { get; init; }
}
