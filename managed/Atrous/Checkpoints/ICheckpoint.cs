using System.Text.Json;
using Atrous.Tensors;

namespace Atrous.Checkpoints;

/// <summary>
/// Weights and what a file says about them: all that a dialect looks at. A file is a <see cref="Checkpoint"/>.
/// </summary>
internal interface ICheckpoint : IWeightSource
{
    /// <summary>For messages.</summary>
    string Path { get; }

    /// <summary>The `__metadata__` of a safetensors file; empty otherwise.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>`config.json` beside the weights when a folder was opened.</summary>
    JsonElement? Config { get; }
}
