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

    /// <summary>What a Lightning module was made with; null where nobody says.</summary>
    public JsonElement? HyperParameters { get; init; }

    /// <summary>What OpenMMLab's runners say of the training; null where nobody says.</summary>
    public JsonElement? Meta { get; init; }
}
