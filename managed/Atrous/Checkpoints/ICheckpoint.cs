using System.Collections.Frozen;
using System.Text.Json;
using Atrous.Tensors;

namespace Atrous.Checkpoints;

/// <summary>
/// Weights and what a file says about them: all that a dialect looks at. A file is a <see cref="Checkpoint"/>.
/// </summary>
internal interface ICheckpoint : IWeightSource
{
    /// <summary>The `__metadata__` of a safetensors file; empty otherwise.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>`config.json` beside the weights in the folder of a model.</summary>
    JsonElement? Config { get; }

    /// <summary>`preprocessor_config.json` beside the weights, which Hugging Face writes.</summary>
    JsonElement? Preprocessor => null;

    /// <summary>
    /// What the network or its training was made with, as JSON, by the key under which a script keeps it: Lightning's
    /// "hyper_parameters", "config", "args". Empty where nobody says.
    /// </summary>
    IReadOnlyDictionary<string, JsonElement> Arguments => FrozenDictionary<string, JsonElement>.Empty;

    /// <summary>What OpenMMLab's runners say of the training (`meta`), as JSON; null where nobody says.</summary>
    JsonElement? Meta => null;

    /// <summary>The tensors that a quantised file stores as bytes with a step for each output channel.</summary>
    IReadOnlySet<string> InBytes => FrozenSet<string>.Empty;

    /// <summary>What was taken off the front of every name: "model."; empty for nothing.</summary>
    string StrippedPrefix => "";
}
