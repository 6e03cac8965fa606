namespace Atrous.Hosting;

/// <summary>
/// Where a model is in its life; the names are those of the Open Inference Protocol's model repository.
/// </summary>
public enum ModelState
{
    /// <summary>It takes no requests: it was unloaded or could not be loaded.</summary>
    Unavailable,

    /// <summary>
    /// It is being loaded for the first time, or again after it was unloaded. A reload of a ready model stays Ready.
    /// </summary>
    Loading,

    /// <summary>Loaded, warm, and serving.</summary>
    Ready,

    /// <summary>It takes no more requests and finishes those that it has.</summary>
    Unloading,
}

/// <summary>A model's state at one moment.</summary>
/// <param name="Name">The model's name in <see cref="AtrousOptions.Models"/>.</param>
/// <param name="State">Whether the model serves, is being loaded, or neither.</param>
/// <param name="Reason">
/// Why it is not ready, in one sentence; for a ready model why the last reload failed. Empty where there is nothing to
/// say.
/// </param>
/// <param name="Generation">How many times it was loaded; 0 for never.</param>
public sealed record ModelStatus(string Name, ModelState State, string Reason, int Generation);
